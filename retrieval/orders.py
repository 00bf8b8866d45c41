"""An order for a shard: what travels to another machine, and what is done with it there.

It carries all that the shard is made of: the bytes of its articles, and the vectors that need not
be computed. All are bytes, texts and numbers in tuples. The encoder is loaded there, by its name.
Who made other bytes of it than this machine would, refuses.
"""

from __future__ import annotations

import hashlib
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from retrieval.corpus import Skipped, article_of
from retrieval.cutting import cut
from retrieval.datatypes import Article
from retrieval.embedding import Encoder, load_encoder
from retrieval.errors import ClusterFault, ModelError
from retrieval.making import make_segment
from retrieval.reuse import Carried, Known, carried, hashes_of_contexts
from retrieval.segments import KEY_ROWS, segment_id
from retrieval.shards import Draft

Sent = tuple[str, bytes, bytes]  # an article: path, sha256, bytes
Held = tuple[bytes, bytes]  # of `Carried`: keys, vectors
Made = tuple[str, str, bytes]  # a file: name, sha256 in hex, bytes
Traits = tuple[tuple[str, str], ...]  # what must be the same everywhere, and what it is here

_PACKAGES = ("faiss-cpu", "numpy", "nupunkt", "PyStemmer", "tokenizers", "torch", "transformers")
# A shard at a time in a process: neither the tokenizer nor the stemmer is for several threads.
_MAKING = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A shard that is to be made.

    Attributes:
        identity: What it will be called.
        held: Vectors that need not be computed; None if nothing is known.
        model: Name and fingerprint of the encoder.
        traits: Of the machine that orders.
    """

    identity: str
    articles: tuple[Sent, ...]
    held: Held | None
    model: tuple[str, str]
    traits: Traits

    def __str__(self) -> str:
        return f"{self.identity} ({self.articles[0][0]} to {self.articles[-1][0]})"


def order_of(identity: str, articles: Sequence[Article], encoder: Encoder, known: Known) -> Order:
    """Give the order for a shard; its articles are cut here only if something is known."""
    held: Held | None = None
    if known.is_from_before:
        contexts = [context for article in articles for context in cut(article).contexts()]
        found = carried(known, hashes_of_contexts(contexts), width=encoder.width)
        held = found.keys.tobytes(), found.vectors.tobytes()
    sent = tuple((each.path, bytes.fromhex(each.digest), each.raw) for each in articles)
    return Order(
        identity=identity,
        articles=sent,
        held=held,
        model=(encoder.model, encoder.fingerprint),
        traits=traits_here(),
    )


def make_ordered(
    order: Order, *, worker: str, scratch: Path, on_share: Callable[[float], None]
) -> tuple[Made, ...]:
    """Make the files of a shard.

    Args:
        worker: What errors call the place where this runs.
        scratch: A folder where they may lie until they are read.
        on_share: Told which share of the work is done.

    Raises:
        ClusterFault: The worker is unlike the machine that orders, or did not get what it sent.
    """
    with _MAKING, TemporaryDirectory(dir=scratch) as folder:
        _check_traits(worker, order.traits)
        encoder = _encoder(worker, *order.model)
        articles = [_received(worker, each) for each in order.articles]
        pairs = ((path, sha256) for path, sha256, _ in order.articles)
        if segment_id(pairs, fingerprint=encoder.fingerprint) != order.identity:
            raise ClusterFault(f"The worker {worker} got other articles than those of {order}.")
        draft = Draft(Path(folder))
        known = _carried(order.held, encoder.width) if order.held else Known()
        make_segment(draft, articles, encoder=encoder, known=known, on_share=on_share)
        return tuple(
            (name, file.promise.sha256, file.place.read_bytes())
            for name, file in draft.files.items()
        )


@cache
def traits_here() -> Traits:
    """Give what decides the bytes of a shard beside its articles and the model."""
    code = hashlib.sha256()
    folder = Path(__file__).parent
    for file in sorted((*folder.glob("*.py"), *folder.glob("*.json"))):
        code.update(f"{file.name}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return (
        ("the code of Clippings", code.hexdigest()[:12]),
        ("Python", ".".join(platform.python_version_tuple()[:2])),
        *((package, version(package).partition("+")[0]) for package in _PACKAGES),
    )


def _check_traits(worker: str, wanted: Traits) -> None:
    unlike = [
        f"{name} ({here}, not {there})"
        for (name, there), (_, here) in zip(wanted, traits_here(), strict=True)
        if here != there
    ]
    if unlike:
        raise ClusterFault(
            f"The worker {worker} would make other bytes than this machine: it has another version "
            f"of {', '.join(unlike)}. Install the same Clippings there, with the versions of "
            "requirements.txt"
        )


def _encoder(worker: str, model: str, fingerprint: str) -> Encoder:
    try:
        encoder = _loaded(model)
    except ModelError as error:
        raise ClusterFault(f"The worker {worker} has no such model. {error}") from error
    if encoder.fingerprint != fingerprint:
        raise ClusterFault(
            f"The worker {worker} would make other vectors than this machine: its files of the "
            f"model {model!r} are others, or it encodes in another way (there: {encoder.way.name}; "
            "`clippings status` tells it here). Install the same model there, and use processors "
            "of one kind"
        )
    return encoder


@cache
def _loaded(model: str) -> Encoder:
    return load_encoder(model)


def _received(worker: str, sent: Sent) -> Article:
    path, sha256, raw = sent
    article = article_of(path, raw)
    if hashlib.sha256(raw).digest() != sha256 or isinstance(article, Skipped):
        raise ClusterFault(f"The worker {worker} did not get {path!r} as it was sent. Try again")
    return article


def _carried(held: Held, width: int) -> Carried:
    import numpy as np

    keys, vectors = held
    return Carried(
        keys=np.frombuffer(keys, dtype="<i8").reshape(KEY_ROWS, -1),
        vectors=np.frombuffer(vectors, dtype="<f2").reshape(-1, width),
    )
