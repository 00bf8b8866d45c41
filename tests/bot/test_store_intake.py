"""What comes in together is committed together, and each hears what became of its own."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import event

from bot.incoming import Incoming
from bot.store import Bounds, StoreError, open_store

BOUNDS = Bounds()


@pytest.fixture
def store(tmp_path):
    with open_store(f"sqlite:///{tmp_path}/bot.db", clock=time.time) as store:
        yield store


def mention(number: int) -> Incoming:
    return Incoming(
        event_id=f"Ev{number}",
        team="T1",
        channel=f"C{number}",
        ts=f"1700000000.{number:06}",
        thread_ts=None,
        user=f"U{number}",
        surface="mention",
        text="Who spoke?",
    )


def put_together(store, events: list[Incoming]) -> list[str]:
    """Put events while another transaction is under way; gives what each returned or raised."""

    def put(incoming: Incoming) -> str:
        try:
            return store.put(incoming, bounds=BOUNDS)
        except StoreError:
            return "refused"

    with ThreadPoolExecutor(len(events)) as pool:
        with store._writing():
            results = [pool.submit(put, each) for each in events]
            while len(store._intake._waiting) < len(events):
                time.sleep(0.001)
        return [each.result(30) for each in results]


def test_events_that_wait_are_committed_at_once(store):
    """Eight events at a closed door, a duplicate among them, take one transaction."""
    commits = []
    event.listen(store.engine, "commit", commits.append)
    events = [*map(mention, range(7)), mention(3)]
    results = put_together(store, events)
    assert sorted(results) == ["duplicate", *["taken"] * 7]
    assert len(commits) == 2  # one is the transaction that they waited for
    assert store.count_open() == 7


def test_event_that_the_database_refuses_takes_no_other_with_it(store):
    """One without a user is refused; those that came with it are stored."""
    events = [mention(1), replace(mention(2), user=None), mention(3)]
    assert put_together(store, events) == ["taken", "refused", "taken"]
    assert store.count_open() == 2


def test_event_alone_is_refused_once(store):
    """What fails alone is not tried a second time."""
    begins = []
    event.listen(store.engine, "rollback", begins.append)
    with pytest.raises(StoreError, match="the database does not take it: IntegrityError"):
        store.put(replace(mention(1), user=None), bounds=BOUNDS)
    assert len(begins) == 1


def test_events_of_a_rush_share_their_commits(store):
    """Of eight that come 2 ms apart the first is committed at once, and the others together."""
    commits = []
    event.listen(store.engine, "commit", commits.append)
    with ThreadPoolExecutor(8) as pool:
        results = []
        for number in range(8):
            results.append(pool.submit(store.put, mention(number), bounds=BOUNDS))
            time.sleep(0.002)
        assert [each.result(30) for each in results] == ["taken"] * 8
    assert len(commits) < 5


def test_events_that_come_alone_wait_for_nobody(store):
    """Four that come one after the other, with time between, are committed in a moment each."""
    seconds = []
    for number in range(4):
        time.sleep(0.1)
        began = time.monotonic()
        store.put(mention(number), bounds=BOUNDS)
        seconds.append(time.monotonic() - began)
    assert min(seconds) < 0.04  # a sleep would be 0.05
