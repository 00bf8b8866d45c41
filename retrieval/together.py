"""Questions that are asked at the same time are encoded in one call.

Four in one call take half of what they take one by one (`tests/benchmarks/serving.py`). Nobody
waits for company: who asks alone is encoded alone, at once.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from retrieval.questions import clean, focus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from retrieval.datatypes import Question
    from retrieval.embedding import Encoder

MOST = 8  # texts in one call: the one who asks for it waits for all of them


class QuestionEncoder(Protocol):
    """What gives a question's vector: an Encoder, or one for all who wait."""

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """Give the vector of a question, shape (width,), unit length."""


class Together:
    """Encodes, with the question whose turn it is, those that wait for theirs."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._guard = threading.Lock()
        self._waiting: Counter[str] = Counter()
        self._made: dict[str, NDArray[np.float32]] = {}

    @contextmanager
    def waiting(self, question: Question) -> Iterator[None]:
        """Let a question's vector be made with another's, as long as this lasts.

        What is encoded is known only once the question was read in the light of its thread and of
        the articles' spelling. Where that changes it, it is encoded by itself.
        """
        text = focus(clean(question.text))
        with self._guard:
            self._waiting[text] += 1
        try:
            yield
        finally:
            with self._guard:
                self._waiting[text] -= 1
                if not self._waiting[text]:
                    del self._waiting[text]
                    self._made.pop(text, None)

    def encode_question(self, text: str) -> NDArray[np.float32]:
        """Give the vector of a question, shape (width,), unit length."""
        with self._guard:
            if text in self._made:
                return self._made[text]
            others = [other for other in self._waiting if other != text and other not in self._made]
        texts = [text, *others[: MOST - 1]]
        vectors: dict[str, NDArray[np.float32]] = dict(
            zip(texts, self._encoder.encode_questions(texts), strict=True)
        )
        with self._guard:
            self._made |= {other: vectors[other] for other in texts if other in self._waiting}
        return vectors[text]
