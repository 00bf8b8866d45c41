"""desk.py: one question, one generation; observers; threads."""

import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from wordfreq import get_frequency_dict

from bot.config import Settings
from bot.desk import HURRIED, Desk
from bot.wiring import build_index
from retrieval import (
    DEFAULT_MODEL,
    Answer,
    EngineBehind,
    Help,
    LocalEngine,
    Question,
    QuestionError,
    current,
    load_encoder,
)

SPOKESPERSON = Question(text="Who is the spokesperson of the US State Department?")


LISTS = 2  # of words: a small one, and one of rare words and misspellings


def no_reranker():
    return None


@pytest.fixture(scope="module")
def model():
    return load_encoder(DEFAULT_MODEL)


def rebuild(corpus, index):
    settings = Settings(CLIPPINGS_CORPUS=corpus, CLIPPINGS_INDEX=index, _env_file=None)
    return build_index(settings, on_progress=lambda _stage, _done, _total: None)


@pytest.fixture
def own(tmp_path, corpus, index):
    """Copy articles and index, to change them."""
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copytree(index, tmp_path / "index")
    return tmp_path / "corpus", tmp_path / "index"


def test_observers_are_told_what_became_of_each_question(index, model):
    """Seconds by the clock that was passed in, outcome, generation; never the question."""
    seen = []
    ticks = iter([1.0, 1.5, 2.0, 2.25])
    with Desk(
        index=index,
        encoder=model,
        open_reranker=no_reranker,
        clock=lambda: next(ticks),
        observers=[seen.append],
    ) as d:
        first = d.ask(SPOKESPERSON, limit=1)
        d.ask(Question(text="hello"), limit=1)
        assert isinstance(first, Answer)
        assert [(o.seconds, o.outcome, o.generation) for o in seen] == [
            (0.5, "answer", d.generation),
            (0.25, "help", d.generation),
        ]


def test_a_new_generation_is_followed(own, model):
    """A question asked after an indexing is answered from the new articles."""
    corpus, index = own
    with Desk(
        index=index, encoder=model, open_reranker=no_reranker, clock=time.perf_counter
    ) as desk:
        old = desk.generation
        (corpus / "new.txt").write_text("Zorblax Quimby founded Quuxville in 1887.\n", "utf-8")
        report = rebuild(corpus, index)
        reply = desk.ask(Question(text="Who founded Quuxville?"), limit=1)
        assert reply.generation == report.generation != old
        assert isinstance(reply, Answer)
        assert reply.findings[0].lead.article.path == "new.txt"


def test_a_broken_new_generation_leaves_the_old_one_answering(own, model):
    """A generation that can not be opened is passed over until there is another one."""
    corpus, index = own
    with Desk(
        index=index, encoder=model, open_reranker=no_reranker, clock=time.perf_counter
    ) as desk:
        old = desk.generation
        (corpus / "new.txt").write_text("Zorblax Quimby founded Quuxville in 1887.\n", "utf-8")
        broken = rebuild(corpus, index).generation
        for file in (index / broken).iterdir():
            file.unlink()  # it may be a file of the old generation too
            file.write_bytes(b"not what was written")
        assert desk.ask(SPOKESPERSON, limit=1).generation == old
        assert desk.ask(SPOKESPERSON, limit=1).generation == old


def test_threads_may_ask_at_the_same_time(index, model):
    """Eight threads get the answers that one gets."""
    questions = [SPOKESPERSON, Question(text="Whom did Rubio call?"), Question(text="hello")] * 8
    with Desk(
        index=index, encoder=model, open_reranker=no_reranker, clock=time.perf_counter
    ) as desk:
        one_by_one = [desk.ask(question, limit=2) for question in questions]
        with ThreadPoolExecutor(8) as threads:
            together = list(threads.map(lambda question: desk.ask(question, limit=2), questions))
    assert list(map(leads, together)) == list(map(leads, one_by_one))


def test_a_question_that_is_too_long_is_refused_in_words(index, model):
    """The Desk lets the error through; the next question is answered."""
    with Desk(
        index=index, encoder=model, open_reranker=no_reranker, clock=time.perf_counter
    ) as desk:
        with pytest.raises(QuestionError, match="4,000"):
            desk.ask(Question(text="word " * 10_000), limit=1)
        assert isinstance(desk.ask(Question(text="hello"), limit=1), Help)


def leads(reply):
    return [f.lead.id for f in reply.findings] if isinstance(reply, Answer) else type(reply)


class Waiting:
    """A ranker that lets the first question wait until it is told to go on."""

    def __init__(self):
        self.read, self.go_on = 0, threading.Event()

    def score(self, _question, sentences):
        self.read += 1
        self.go_on.wait(30)
        return np.full(len(sentences), 0.5, dtype=np.float32)


def test_a_desk_that_is_warm_has_read_what_questions_need(index, model):
    """All on the way of a misspelled question to the ranker; nobody is told, for nobody asked."""
    ranker, seen = Waiting(), []
    ranker.go_on.set()
    get_frequency_dict.cache_clear()
    with Desk(
        index=index,
        encoder=model,
        open_reranker=lambda: ranker,
        clock=time.monotonic,
        observers=[seen.append],
    ) as desk:
        desk.warm()
    assert get_frequency_dict.cache_info().currsize == LISTS
    assert ranker.read == 1
    assert seen == []


def test_the_ranker_is_left_out_while_others_wait(index, model):
    """Of three questions at once it reads the first and the last, which leave nobody waiting."""
    ranker = Waiting()
    with (
        Desk(index=index, encoder=model, open_reranker=lambda: ranker, clock=time.monotonic) as d,
        ThreadPoolExecutor(HURRIED + 1) as pool,
    ):
        asked = [pool.submit(d.ask, SPOKESPERSON, limit=1)]
        while not ranker.read:  # the first is alone
            time.sleep(0.01)
        asked += [pool.submit(d.ask, SPOKESPERSON, limit=1) for _ in range(HURRIED)]
        while d._asking < HURRIED + 1:
            time.sleep(0.01)
        ranker.go_on.set()
        replies = [each.result(30) for each in asked]
    assert all(isinstance(reply, Answer) for reply in replies)
    # One was at the Desk, then three, when the second was taken two, and one at last.
    assert ranker.read == HURRIED


def test_a_generation_that_is_published_while_the_desk_opens_is_opened(own, model):
    """The engine may have gone on to it already, and no longer search the one before."""
    corpus, index = own
    old = current(index)

    def open_engine(library):
        if library.generation == old:
            (corpus / "new.txt").write_text("Margaret Vole is the new mayor of Zug.")
            rebuild(corpus, index)
            raise EngineBehind("it went on")
        return LocalEngine(library)

    with Desk(
        index=index,
        encoder=model,
        open_engine=open_engine,
        open_reranker=no_reranker,
        clock=time.perf_counter,
    ) as desk:
        assert desk.generation == current(index) != old


def test_an_engine_without_the_current_generation_opens_no_desk(index, model):
    """Rather than one that searches something else."""

    def refuse(_library):
        raise EngineBehind("it is not there")

    with pytest.raises(EngineBehind, match="it is not there"):
        Desk(
            index=index,
            encoder=model,
            open_engine=refuse,
            open_reranker=no_reranker,
            clock=time.perf_counter,
        )
