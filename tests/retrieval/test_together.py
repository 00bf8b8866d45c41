"""Questions that wait are encoded with the one whose turn it is; their vectors are the same."""

import numpy as np
import pytest

from retrieval.datatypes import Question
from retrieval.together import MOST, Together

RUBIO, DAR = "What did Rubio urge Pakistan to do?", "Who is Ishaq Dar?"


class Counting:
    """The real encoder, and which texts each of its calls was for."""

    def __init__(self, encoder) -> None:
        self._encoder, self.calls = encoder, []

    def encode_questions(self, texts):
        self.calls.append(list(texts))
        return self._encoder.encode_questions(texts)


@pytest.fixture
def counting(encoder):
    return Counting(encoder)


def test_who_asks_alone_is_encoded_alone(counting, encoder):
    together = Together(counting)
    with together.waiting(Question(text=RUBIO)):
        vector = together.encode_question(RUBIO)
    assert counting.calls == [[RUBIO]]
    assert (vector == encoder.encode_question(RUBIO)).all()


def test_those_that_wait_come_along_and_are_not_encoded_again(counting, encoder):
    together = Together(counting)
    with together.waiting(Question(text=RUBIO)), together.waiting(Question(text=DAR)):
        first, second = together.encode_question(RUBIO), together.encode_question(DAR)
    assert counting.calls == [[RUBIO, DAR]]
    assert np.abs(first - encoder.encode_question(RUBIO)).max() < 1e-6
    assert np.abs(second - encoder.encode_question(DAR)).max() < 1e-6


def test_a_question_that_is_read_otherwise_is_encoded_by_itself(counting, encoder):
    """A misspelled word, or a thread, may change what is searched."""
    together = Together(counting)
    with (
        together.waiting(Question(text=RUBIO)),
        together.waiting(Question(text="Who is Ishaq Da?")),
    ):
        together.encode_question(RUBIO)
        vector = together.encode_question(DAR)
    assert counting.calls[1] == [DAR]
    assert (vector == encoder.encode_question(DAR)).all()


def test_nothing_is_kept_of_who_has_gone(counting):
    together = Together(counting)
    for _ in range(2):
        with together.waiting(Question(text=RUBIO)), together.waiting(Question(text=DAR)):
            together.encode_question(RUBIO)
    assert counting.calls == [[RUBIO, DAR]] * 2


def test_two_who_ask_the_same_share_a_vector_until_the_second_has_gone(counting):
    together = Together(counting)
    with together.waiting(Question(text=RUBIO)):
        with together.waiting(Question(text=RUBIO)):
            together.encode_question(RUBIO)
        together.encode_question(RUBIO)
    assert counting.calls == [[RUBIO]]


def test_no_call_is_for_more_than_a_few(counting):
    """Who has the turn waits for all in the call."""
    together = Together(counting)
    questions = [Question(text=f"Who is number {number}?") for number in range(MOST + 3)]
    waiting = [together.waiting(question) for question in questions]
    for one in waiting:
        one.__enter__()
    together.encode_question(questions[0].text)
    assert [len(call) for call in counting.calls] == [MOST]
    for one in waiting:
        one.__exit__(None, None, None)
