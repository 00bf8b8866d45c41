"""The Desk: what every surface asks.

It holds the opened Library and the Encoder, follows new generations, and tells its observers. A
question sees one generation from beginning to end, whatever is published meanwhile.
"""

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal, Self, assert_never

from retrieval import (
    Abstention,
    Answer,
    Article,
    ClippingsError,
    Encoder,
    Engine,
    EngineBehind,
    EngineFault,
    Help,
    Library,
    LocalEngine,
    Question,
    Reply,
    Reranker,
    Together,
    answer,
    current,
    open_library,
)

LATER_S = 5.0  # after which a new generation that the engine does not hold yet is tried again
WARMING = "Wat do these artcles say of holidaymakers?"  # needs each list of words
HURRIED = 2  # questions at the Desk at once, the one being answered included

Outcome = Literal["answer", "abstention", "help"]
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What became of a question. It does not hold the question."""

    seconds: float
    outcome: Outcome
    generation: str


Observer = Callable[[Observation], None]


def outcome_of(reply: Reply) -> Outcome:
    match reply:
        case Answer():
            return "answer"
        case Abstention():
            return "abstention"
        case Help():
            return "help"
        case _:
            assert_never(reply)


class Desk:
    """Answers questions from the current generation; may be asked from several threads.

    Raises (from `__init__`):
        IndexFault: there is no index, or it can not be used.
    """

    def __init__(
        self,
        *,
        index: Path,
        encoder: Encoder,
        open_reranker: Callable[[], Reranker | None],
        clock: Callable[[], float],
        open_engine: Callable[[Library], Engine] = LocalEngine,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._index = index
        self._encoder = encoder
        self._together = Together(encoder)
        # It imports torch: the first question loads it, as it loads the encoder.
        self._reranker = cache(open_reranker)
        self._clock = clock
        self._observers = tuple(observers)
        self._open_engine = open_engine
        self._library, self._engine = self._open(before=None)
        self._refused: str | None = None
        self._not_before = 0.0
        # One question at a time: the model's tokenizer is not made for several threads, and the
        # time of a question is time of the processor. Those that wait are encoded together.
        self._lock = threading.Lock()
        self._asking = 0
        self._counting = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def articles(self) -> Sequence[Article]:
        return self._library.articles

    @property
    def digests(self) -> Mapping[str, str]:
        """The sha256 of each article in hex, by its path."""
        return self._library.articles.digests()

    @property
    def days(self) -> Sequence[date | None]:
        """The day of publication of each article."""
        return self._library.articles.days()

    def find(self, path: str) -> Article | None:
        """Give the article of a path, or None."""
        return self._library.articles.find(path)

    @property
    def generation(self) -> str:
        return self._library.generation

    @property
    def corpus(self) -> Path:
        """The folder that was indexed."""
        return Path(self._library.facts.corpus)

    def warm(self) -> None:
        """Answer something now, so that the first question does not wait for what it needs.

        Besides the models these are lists of words, which misspelled and uncommon ones are looked
        up in: 0.1 to 0.3 s each.

        Raises:
            ModelError: a model can not be loaded.
        """
        with self._lock, suppress(EngineFault):  # whether the engine is away, questions tell
            answer(
                Question(text=WARMING),
                self._library,
                self._encoder,
                self._reranker(),
                engine=self._engine,
            )

    def follow(self) -> None:
        """Open the current generation now, if it is a new one; `ask` does so by itself."""
        with self._lock:
            self._follow()

    def ask(self, question: Question, *, limit: int) -> Reply:
        """Answer a question with at most `limit` findings.

        While `HURRIED` or more are asking, the ranker is left out: it takes three quarters of a
        question's time, and those who wait would otherwise wait as long as for four answers.

        Raises:
            QuestionError: the question can not be searched.
            ModelError: the model can not be loaded.
            EngineFault: the engine that searches is away; no other one is asked instead.
        """
        began = self._clock()
        with self._counted(), self._together.waiting(question), self._lock:
            self._follow()
            reranker = None if self._asking >= HURRIED else self._reranker()
            reply = answer(
                question,
                self._library,
                self._together,
                reranker,
                engine=self._engine,
                limit=limit,
            )
        seen = Observation(
            seconds=self._clock() - began, outcome=outcome_of(reply), generation=reply.generation
        )
        for observer in self._observers:
            observer(seen)
        return reply

    def close(self) -> None:
        with self._lock:
            self._engine.close()
            self._library.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._counting:
            self._asking += 1
        try:
            yield
        finally:
            with self._counting:
                self._asking -= 1

    def _open(self, *, before: Library | None) -> tuple[Library, Engine]:
        """Open the current generation, and what searches it.

        Args:
            before: Whose open files are taken over where they are the same.
        """
        while True:
            library = open_library(
                self._index, fingerprint=self._encoder.fingerprint, before=before
            )
            try:
                return library, self._open_engine(library)
            except EngineBehind:
                library.close()
                if current(self._index) == library.generation:
                    raise
                # The engine went on to a generation that was published between the two steps.
            except BaseException:
                library.close()
                raise

    def _follow(self) -> None:
        """Open the current generation if it is a new one."""
        generation = ""
        try:
            generation = current(self._index)
            if generation == self.generation or self._is_refused(generation):
                return
            opened = self._open(before=self._library)
        except ClippingsError as error:
            # The old generation still answers; a broken new one is reported once, not per question.
            if generation != self._refused:
                logger.warning("generation_refused generation=%s error=%s", generation, error)
            self._refused = generation
            # A broken one stays so; one that is being uploaded does not.
            is_passing = isinstance(error, EngineFault)
            self._not_before = self._clock() + LATER_S if is_passing else math.inf
            return
        old_library, old_engine = self._library, self._engine
        (self._library, self._engine), self._refused = opened, None
        old_engine.close()
        old_library.close()

    def _is_refused(self, generation: str) -> bool:
        return generation == self._refused and self._clock() < self._not_before
