"""Average rankers that began with the same weights: often better than each of them.

    python -m retrieval.ranker.average --of FILE SHARE --of FILE SHARE --out ranker.safetensors

Runs that went on from one another on different data agree on what they learned and differ in what
they forgot (Wortsman et al. 2022, "Model soups", arXiv 2203.05482).
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

from retrieval.ranker.crossencoder import packed
from retrieval.reranking import unpacked


def main() -> None:
    """Read the command line, and write the average."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.ranker.average", description=__doc__)
    parser.add_argument("--of", nargs=2, action="append", required=True, metavar=("FILE", "SHARE"))
    parser.add_argument("--out", type=Path, required=True, help="safetensors file to write")
    args = parser.parse_args()
    files = [load_file(Path(path)) for path, _ in args.of]
    save_file(average(files, [float(share) for _, share in args.of]), args.out)


def average(files: Sequence[Mapping[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Average what `changes` gave of several runs.

    Args:
        shares: One for each, 1 together.

    Raises:
        ValueError: The shares do not come to 1.
    """
    if not math.isclose(sum(shares), 1.0):
        raise ValueError(f"The shares come to {sum(shares)}, not to 1.")
    runs = [unpacked(file) for file in files]
    mean = {
        name: sum(
            (share * run[name] for share, run in zip(shares, runs, strict=True)), start=0.0 * first
        )
        for name, first in runs[0].items()
    }
    head = {name: mean.pop(name) for name in ("head.weight", "head.bias")}
    return packed(mean, head)


if __name__ == "__main__":
    main()
