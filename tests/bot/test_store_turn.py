"""Turn: where only one can write, who is due first is next."""

import threading
import time

import pytest

from bot.store.turn import PATIENCE, Turn, Urgency


def order_of(turn: Turn, urgencies: list[Urgency]) -> list[tuple[Urgency, int]]:
    """Let threads queue up one after the other while the turn is taken; give who got it when."""
    order: list[tuple[Urgency, int]] = []

    def take(urgency: Urgency, number: int) -> None:
        with turn.taken(urgency):
            order.append((urgency, number))

    threads = [
        threading.Thread(target=take, args=(urgency, number))
        for number, urgency in enumerate(urgencies)
    ]
    with turn.taken(Urgency.EVENT):
        for count, thread in enumerate(threads, start=1):
            thread.start()
            while turn.waiting < count:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    return order


def test_most_urgent_is_next_and_of_these_the_first():
    """An answer goes before an event, an event before a refusal, else who came first."""
    came = [Urgency.REFUSAL, Urgency.EVENT, Urgency.ANSWER, Urgency.EVENT, Urgency.ANSWER]
    assert order_of(Turn(clock=lambda: 0.0), came) == [
        (Urgency.ANSWER, 2),
        (Urgency.ANSWER, 4),
        (Urgency.EVENT, 1),
        (Urgency.EVENT, 3),
        (Urgency.REFUSAL, 0),
    ]


def test_an_event_waits_no_longer_than_its_patience():
    """Answers that come later than that come after it, however many there are."""
    times = iter([0.0, PATIENCE[Urgency.EVENT] - 0.01, PATIENCE[Urgency.EVENT] + 0.01])
    came = [Urgency.EVENT, Urgency.ANSWER, Urgency.ANSWER]
    assert order_of(Turn(clock=lambda: next(times)), came) == [
        (Urgency.ANSWER, 1),
        (Urgency.EVENT, 0),
        (Urgency.ANSWER, 2),
    ]


def test_one_at_a_time():
    """Nobody is in while another is, and all come in."""
    turn, inside, most = Turn(), [0], []

    def work() -> None:
        for _ in range(200):
            with turn.taken(Urgency.EVENT):
                inside[0] += 1
                most.append(inside[0])
                inside[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (1600, 1)


def test_turn_is_passed_on_after_an_error():
    """A transaction that fails keeps nobody out."""
    turn = Turn()
    with pytest.raises(KeyError), turn.taken(Urgency.ANSWER):
        {}["absent"]
    assert order_of(turn, [Urgency.EVENT]) == [(Urgency.EVENT, 0)]
