"""An encoder that draws vectors instead of computing them: for what must hold of any vectors."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from retrieval import Encoder

POOL = 4096


class DrawnEncoder(Encoder):
    """Gives each text a unit vector drawn by its hash, the same whatever is encoded beside it.

    Attributes:
        asked: How many texts were encoded.
    """

    def __init__(self, *, width: int = 384) -> None:
        super().__init__(model="drawn", folder=Path(), fingerprint=f"drawn {width}")
        self.asked = 0
        self._pool = np.random.default_rng(1).standard_normal((POOL, width), dtype=np.float32)

    @property
    def width(self) -> int:
        return self._pool.shape[1]

    def encode_questions(self, texts: Sequence[str]) -> np.ndarray:
        return self.encode(texts)

    def encode(
        self, texts: Sequence[str], *, on_batch: Callable[[int], None] = lambda _done: None
    ) -> np.ndarray:
        return self._drawn([text.encode("utf-8", "replace") for text in texts], on_batch)

    def encode_in_context(
        self,
        texts: Sequence[str],
        spans: Sequence[Sequence[tuple[int, int]]],
        *,
        on_batch: Callable[[int], None] = lambda _done: None,
    ) -> np.ndarray:
        places = [
            f"{start} {end} {text}".encode()
            for text, wanted in zip(texts, spans, strict=True)
            for start, end in wanted
        ]
        return self._drawn(places, on_batch)

    def _drawn(self, keys: Sequence[bytes], on_batch: Callable[[int], None]) -> np.ndarray:
        self.asked += len(keys)
        hashes = b"".join(hashlib.blake2b(key, digest_size=16).digest() for key in keys)
        drawn = np.frombuffer(hashes, dtype="<u4").reshape(-1, 4) % POOL
        rows = self._pool[drawn[:, 0]] + self._pool[drawn[:, 1]] + self._pool[drawn[:, 2]]
        on_batch(len(keys))
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def recombined(texts: Sequence[str], sentences: int, *, seed: int) -> Iterator[str]:
    """Give articles without end, of so many sentences each, drawn from those of some texts."""
    chance = random.Random(seed)  # noqa: S311 - it guards nothing
    while True:
        yield " ".join(chance.choices(texts, k=sentences)) + "\n"
