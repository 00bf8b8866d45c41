"""The store: what is committed stays, once, and no longer than it must."""

import os
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.incoming import Incoming, Place
from bot.store import Bounds, Letter, StoreError, join_store, open_store

ROOT = Path(__file__).parents[2]
HOUR = 3_600.0
BOUNDS = Bounds()


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/bot.db"


@pytest.fixture
def store(url, clock):
    with open_store(url, clock=clock) as store:
        yield store


def mention(number: int = 1, **changes) -> Incoming:
    incoming = Incoming(
        event_id=f"Ev{number}",
        team="T1",
        channel="C1",
        ts=f"1700000000.{number:06}",
        thread_ts=None,
        user=f"U{number}",
        surface="mention",
        text=f"Question {number}?",
    )
    return replace(incoming, **changes)


def edit(of: Incoming, text: str, *, event_id: str = "EvEdit", edited: str | None = None):
    return replace(of, event_id=event_id, surface="edit", text=text, edited=edited)


def delete(of: Incoming):
    return replace(of, event_id="EvDelete", surface="delete", text="")


def put(store, incoming, bounds=BOUNDS):
    return store.put(incoming, bounds=bounds)


def answer(store, payload="[answer]", **details):
    claimed = store.claim_question()
    assert store.finish(claimed, Letter(payload=payload, private=False, **details))
    return claimed


def deliver(store, ts="1700000001.000000"):
    job = store.claim_job(pace_s=0.0)
    assert store.posted(job, ts=ts)
    return job


# What comes in


def test_question_comes_back_as_it_was_put(store):
    """A worker gets exactly what Slack said, NUL and lone surrogate included."""
    asked = mention(text="a\x00b\ud800 «é»", thread_ts="1699999999.000000")
    assert put(store, asked) == "taken"
    claimed = store.claim_question()
    assert claimed.incoming == asked
    assert (claimed.context, claimed.tries) == ((), 1)
    assert store.claim_question() is None


def test_same_event_is_taken_once(store):
    """Slack's retry of an event changes nothing."""
    assert [put(store, mention()) for _ in range(4)] == ["taken"] + ["duplicate"] * 3
    assert store.count_open() == 1


def test_twin_events_are_one_question(store):
    """A mention in a followed thread comes as two events with two ids."""
    asked = mention()
    assert put(store, asked) == "taken"
    assert put(store, replace(asked, event_id="Ev2", surface="message")) == "duplicate"


def test_two_people_may_ask_about_the_same_message(store):
    """A shortcut is unique by its trigger, not by the message that it is used on."""
    first = mention(1, surface="shortcut", ts="trigger-1")
    second = mention(2, surface="shortcut", ts="trigger-2")
    assert [put(store, first), put(store, second)] == ["taken", "taken"]


def test_duplicate_is_known_after_a_restart(url, clock):
    """What was seen before the restart is not answered again after it."""
    with open_store(url, clock=clock) as store:
        put(store, mention())
    with open_store(url, clock=clock) as store:
        assert put(store, mention()) == "duplicate"


@pytest.mark.parametrize(
    ("bounds", "second"),
    [
        (Bounds(in_all=1), mention(2, channel="C2")),
        (Bounds(per_channel=1), mention(2)),
        (Bounds(per_user=1), mention(2, channel="C2", user="U1")),
    ],
)
def test_beyond_a_bound_the_asker_is_told_and_nothing_waits(store, bounds, second):
    """A question that finds no room is never answered: not by a worker, not by a retry."""
    assert put(store, mention(), bounds) == "taken"
    assert put(store, second, bounds) == "busy"
    assert store.claim_question().incoming == mention()
    assert store.claim_question() is None
    assert put(store, second, bounds) == "duplicate"
    (refused,) = store.claim_refused(most=8)
    assert refused.incoming == replace(second, text="")
    store.close_refused((refused,))
    assert store.count_untold() == 0


def test_bounds_count_what_is_not_posted_yet(store):
    """A question has its room until Slack has the answer."""
    bounds = Bounds(in_all=1)
    put(store, mention(1), bounds)
    answer(store)
    assert put(store, mention(2), bounds) == "busy"
    deliver(store)
    assert put(store, mention(3), bounds) == "taken"


def test_busy_is_not_told_late(store, clock):
    """«Busy» is worth saying for a minute."""
    put(store, mention(1), Bounds(in_all=0))
    assert store.count_untold() == 1
    clock.pass_(61.0)
    assert store.claim_refused(most=8) == ()
    assert store.count_untold() == 0


def test_refusal_of_a_deleted_question_is_not_told(store):
    """Who takes a question back need not hear of it."""
    put(store, mention(1), Bounds(in_all=0))
    put(store, delete(mention(1)))
    assert store.claim_refused(most=8) == ()


def test_refusal_is_told_by_one_at_a_time(store, clock):
    """Who took it up has 20 s; then it is taken up again."""
    put(store, mention(1), Bounds(in_all=0))
    assert len(store.claim_refused(most=8)) == 1
    clock.pass_(19.0)
    assert store.claim_refused(most=8) == ()
    clock.pass_(2.0)
    assert len(store.claim_refused(most=8)) == 1


def test_earlier_questions_of_the_thread_come_along(store):
    """The context is what was asked before in the same thread, oldest first, at most four."""
    root = mention(1)
    put(store, root)
    answer(store)
    for number in range(2, 8):
        put(store, mention(number, thread_ts=root.ts), Bounds(per_user=9))
        claimed = answer(store)
    assert claimed.context == tuple(f"Question {number}?" for number in (3, 4, 5, 6))
    kept = tuple(f"Question {number}?" for number in (4, 5, 6, 7))
    assert store.thread_questions("T1", "C1", root.ts) == kept


def test_text_of_a_command_is_blanked_once_answered(store, url):
    """Nothing follows on a command, so its text is not kept."""
    put(store, mention(surface="command", ts="trigger", response_url="https://hooks/secret"))
    answer(store)
    assert "Question 1?" not in _dump(url)


def test_nothing_of_a_question_remains_when_it_is_delivered_and_old(store, url, clock):
    """Keys and the last questions of a thread are kept 25 hours."""
    asked = mention()
    put(store, asked)
    answer(store)
    deliver(store)
    clock.pass_(25 * HOUR - 1)
    store.sweep()
    assert store.thread_questions("T1", "C1", asked.ts) == ("Question 1?",)
    assert put(store, asked) == "duplicate"
    clock.pass_(2)
    store.sweep()
    assert "Question 1?" not in _dump(url)
    assert put(store, asked) == "taken"


# Edits and deletions


def test_edit_of_a_waiting_question_replaces_it(store):
    """Only what the asker means now is answered."""
    put(store, mention())
    assert put(store, edit(mention(), "Better?")) == "applied"
    assert store.claim_question().incoming.text == "Better?"


def test_edit_takes_the_question_from_the_worker(store):
    """What a worker found for the old text is dropped, and the new text is answered."""
    put(store, mention())
    old = store.claim_question()
    put(store, edit(mention(), "Better?"))
    new = store.claim_question()
    assert not store.finish(old, Letter(payload="[old]", private=False))
    assert store.finish(new, Letter(payload="[new]", private=False))
    assert store.claim_job(pace_s=0.0).payload == "[new]"


def test_edit_of_an_answered_question_changes_the_message(store):
    """The second answer goes to the message that shows the first."""
    put(store, mention())
    first = answer(store)
    deliver(store, ts="42.0")
    put(store, edit(mention(), "Better?"))
    second = answer(store, payload="[better]")
    job = store.claim_job(pace_s=0.0)
    assert (job.ts, job.payload, job.wanted) == ("42.0", "[better]", "shown")
    assert first.answer_id == second.answer_id == job.answer_id


def test_edit_while_the_answer_is_being_posted_comes_second(store):
    """The post under way is finished first; then the message is changed."""
    put(store, mention())
    answer(store)
    job = store.claim_job(pace_s=0.0)
    put(store, edit(mention(), "Better?"))
    answer(store, payload="[better]")
    assert store.claim_job(pace_s=0.0) is None
    store.posted(job, ts="42.0")
    again = store.claim_job(pace_s=0.0)
    assert (again.ts, again.payload, again.look_first) == ("42.0", "[better]", False)


def test_older_edit_does_not_undo_a_newer_one(store):
    """Events may come out of order."""
    put(store, mention())
    put(store, edit(mention(), "Second edit", event_id="E2", edited="1700000009.000000"))
    late = edit(mention(), "First edit", event_id="E1", edited="1700000005.000000")
    assert put(store, late) == "ignored"
    assert store.claim_question().incoming.text == "Second edit"


def test_edit_of_an_unknown_message_leaves_no_trace(store, url):
    """What people write to each other is not stored."""
    assert put(store, edit(mention(), "private words")) == "ignored"
    assert "private words" not in _dump(url)


def test_edit_does_not_revive_what_was_busy(store):
    """Who was told «busy» asks again, with a new message."""
    put(store, mention(), Bounds(in_all=0))
    assert put(store, edit(mention(), "Better?")) == "ignored"


def test_deleted_question_is_not_answered(store, url):
    """Deleting a waiting question cancels it."""
    put(store, mention())
    assert put(store, delete(mention())) == "applied"
    assert store.claim_question() is None
    assert store.count_open() == 0
    assert "Question 1?" not in _dump(url)


def test_deletion_before_the_question_keeps_it_from_coming(store):
    """Events may come out of order."""
    assert put(store, delete(mention())) == "ignored"
    assert put(store, mention()) == "duplicate"


def test_deleted_while_a_worker_is_at_it(store):
    """The worker's answer is dropped."""
    put(store, mention())
    claimed = store.claim_question()
    put(store, delete(mention()))
    assert not store.finish(claimed, Letter(payload="[answer]", private=False))
    assert store.claim_job(pace_s=0.0) is None


def test_deleted_before_the_answer_is_posted(store):
    """An answer that Slack does not have yet never gets there."""
    put(store, mention())
    answer(store)
    put(store, delete(mention()))
    assert store.claim_job(pace_s=0.0) is None


def test_deleted_after_the_answer_is_posted(store, clock):
    """The message is taken back, also days later."""
    put(store, mention())
    claimed = answer(store)
    deliver(store, ts="42.0")
    clock.pass_(48 * HOUR)
    store.sweep()
    assert put(store, delete(mention())) == "applied"
    job = store.claim_job(pace_s=0.0)
    assert (job.ts, job.wanted) == ("42.0", "removed")
    assert store.removed(job)
    assert store.claim_job(pace_s=0.0) is None
    assert store.shown(claimed.answer_id) is None


def test_deleted_while_the_answer_is_being_posted(store):
    """Once it is known where the message is, it is taken back."""
    put(store, mention())
    answer(store)
    job = store.claim_job(pace_s=0.0)
    put(store, delete(mention()))
    store.posted(job, ts="42.0")
    again = store.claim_job(pace_s=0.0)
    assert (again.ts, again.wanted) == ("42.0", "removed")


def test_deleted_while_the_post_is_refused(store):
    """What never got to Slack needs no further call."""
    put(store, mention())
    answer(store)
    job = store.claim_job(pace_s=0.0)
    put(store, delete(mention()))
    store.park(job, until=0.0)
    assert store.claim_job(pace_s=0.0) is None
    assert store.count_unsent() == 0


def test_question_that_needs_no_answer_after_an_edit_loses_it(store):
    """«Nothing to say» to the new text takes the old answer back."""
    put(store, mention())
    answer(store)
    deliver(store, ts="42.0")
    put(store, edit(mention(), "thanks"))
    assert store.drop(store.claim_question())
    assert store.claim_job(pace_s=0.0).wanted == "removed"
    assert store.count_open() == 0


# Claims


def test_question_of_a_dead_worker_is_taken_over(store, clock):
    """After its lease it is claimed again, and who comes back late is too late."""
    put(store, mention())
    dead = store.claim_question()
    clock.pass_(59.0)
    assert store.claim_question() is None
    clock.pass_(2.0)
    heir = store.claim_question()
    assert (heir.incoming, heir.tries) == (dead.incoming, 2)
    assert not store.finish(dead, Letter(payload="[late]", private=False))
    assert store.finish(heir, Letter(payload="[heir]", private=False))


def test_put_back_question_waits(store, clock):
    """A question is tried again when it is due, not before."""
    put(store, mention())
    store.put_back(store.claim_question(), not_before=clock() + 5, tries=1)
    assert store.claim_question() is None
    clock.pass_(5)
    assert store.claim_question().tries == 2


def test_a_restart_releases_what_was_begun(url, clock):
    """SQLite: whoever held something is gone; what was being sent is unclear."""
    with open_store(url, clock=clock) as store:
        put(store, mention(1))
        answer(store)
        store.claim_job(pace_s=0.0)
        put(store, mention(2))
        store.claim_question()
    with open_store(url, clock=clock) as store:
        assert store.claim_question().incoming == mention(2)
        assert store.claim_job(pace_s=0.0) is None
        clock.pass_(2.0)
        assert store.claim_job(pace_s=0.0).look_first


def test_lane_keeps_its_pace_and_others_go_on(store, clock):
    """One message a second in a channel; a parked channel parks no other."""
    for number, channel in enumerate(("C1", "C1", "C2"), start=1):
        put(store, mention(number, channel=channel))
        answer(store, payload=f"[{number}]")
    first = store.claim_job(pace_s=1.0)
    second = store.claim_job(pace_s=1.0)
    assert [first.payload, second.payload] == ["[1]", "[3]"]
    assert store.claim_job(pace_s=1.0) is None
    store.park(first, until=clock() + 30)
    store.posted(second, ts="1.0")
    clock.pass_(29.0)
    put(store, mention(4, channel="C2"))
    answer(store, payload="[4]")
    assert store.claim_job(pace_s=1.0).payload == "[4]"
    assert store.claim_job(pace_s=1.0) is None
    clock.pass_(2.0)
    assert (store.claim_job(pace_s=1.0).payload, first.tries) == ("[1]", 1)


def test_waiting_for_slack_is_no_try(store, clock):
    """A 429 does not use up the five tries."""
    put(store, mention())
    answer(store)
    for _ in range(9):
        job = store.claim_job(pace_s=0.0)
        assert job.tries == 1
        store.park(job, until=clock() + 1)
        clock.pass_(1.0)


# What the surfaces ask

PLACES = (
    Place(path="a/b\udce9.txt", sha256="11", start=3, end=9),
    Place(path="c.txt", sha256="22", start=0, end=5),
)


def test_places_of_an_answer_survive_a_restart(url, clock):
    """The buttons of an answer know its quotes, in order, whatever the file is called."""
    with open_store(url, clock=clock) as store:
        put(store, mention())
        claimed = answer(store, places=PLACES, generation="gen-1")
        deliver(store, ts="42.0")
    with open_store(url, clock=clock) as store:
        shown = store.shown(claimed.answer_id)
    assert (shown.places, shown.generation, shown.ts) == (PLACES, "gen-1", "42.0")
    assert (shown.team, shown.channel, shown.thread_ts) == ("T1", "C1", mention().ts)


def test_answers_that_quote_a_changed_file_are_found_once(store):
    """A thread is told once of each new content of a file."""
    put(store, mention())
    claimed = answer(store, places=PLACES)
    assert store.quoting("c.txt", not_sha256="33") == ()
    deliver(store)
    assert store.quoting("c.txt", not_sha256="22") == ()
    (found,) = store.quoting("c.txt", not_sha256="33")
    assert found.answer_id == claimed.answer_id
    store.note_change(claimed.answer_id, "33")
    assert store.quoting("c.txt", not_sha256="33") == ()
    assert len(store.quoting("c.txt", not_sha256="44")) == 1


def test_a_thread_is_followed_from_its_question_on(store):
    """Follow-ups count in threads where we answer; not where we only spoke to one person."""
    root = mention().ts
    assert not store.follows("T1", "C1", root)
    put(store, mention())
    assert store.follows("T1", "C1", root)
    answer(store)
    deliver(store)
    assert store.follows("T1", "C1", root)
    assert not store.follows("T1", "C2", root)


def test_questions_of_a_user_latest_first(store):
    """The Home tab shows one's own questions."""
    for number in range(1, 4):
        put(store, mention(number, user="U1"), Bounds(per_user=9))
    assert store.questions_of("T1", "U1") == ("Question 3?", "Question 2?", "Question 1?")
    assert store.questions_of("T1", "U2") == ()


def test_feedback_may_change_and_reasons_go(store, url, clock):
    """One opinion per person and answer; what they wrote is kept 30 days."""
    store.add_feedback("a1", user="U1", verdict="good")
    store.add_feedback("a1", user="U1", verdict="bad", reason="wrong year")
    assert _rows(url, "SELECT user, verdict, reason FROM feedback") == [
        ("U1", "bad", '"wrong year"')
    ]
    clock.pass_(31 * 24 * HOUR)
    store.sweep()
    assert _rows(url, "SELECT verdict, reason FROM feedback") == [("bad", '""')]


def test_channel_policy_is_kept_and_listed(store):
    """An admin's choice holds until the next."""
    store.set_channel_policy("T1", "C2", "allowed", by="UADMIN")
    store.set_channel_policy("T1", "C1", "allowed", by="UADMIN")
    store.set_channel_policy("T1", "C1", "denied", by="UADMIN")
    assert store.channel_policy("T1", "C1") == "denied"
    assert store.channel_policy("T1", "C9") is None
    assert store.channel_policies("T1") == (("C1", "denied"), ("C2", "allowed"))


def test_something_is_told_once_a_day(store, clock):
    """A refusal is said once, and again after 25 hours."""
    assert [store.tell_once("guest:U1"), store.tell_once("guest:U1")] == [True, False]
    clock.pass_(25 * HOUR + 1)
    store.sweep()
    assert store.tell_once("guest:U1")


# Opening


def test_database_is_for_its_owner_alone(store, tmp_path):
    """Questions lie in it: mode 0600, the files beside it too."""
    put(store, mention())
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    names = ("bot.db", "bot.db-shm", "bot.db-wal", "bot.db.lock", "bot.db.turn")
    assert modes == dict.fromkeys(names, 0o600)


def test_commits_are_on_the_disk(store):
    """WAL, and every commit is synced before it returns."""
    with store.engine.connect() as db:
        modes = [
            db.execute(text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "synchronous")
        ]
    assert modes == ["wal", 2]


def test_second_bot_on_one_file_is_refused(url, clock):
    """Two processes would both answer."""
    with open_store(url, clock=clock), pytest.raises(StoreError, match="another bot uses"):
        open_store(url, clock=clock)


def test_who_joins_puts_in_and_takes_nothing_over(url, clock):
    """What the holder has claimed stays so; what the joined one puts in, the holder answers."""
    with open_store(url, clock=clock) as holder:
        put(holder, mention(1))
        claimed = holder.claim_question()
        with join_store(url, clock=clock) as joined:
            put(joined, mention(2))
        assert holder.claim_question().incoming == mention(2)
        assert holder.claim_question() is None
        assert holder.finish(claimed, Letter(payload="[answer]", private=False))


def test_who_joins_waits_while_the_other_writes(url, clock):
    """In line, not by looking again and again: that left a quarter of the time unused."""
    with open_store(url, clock=clock) as holder, join_store(url, clock=clock) as joined:
        writer = threading.Thread(target=put, args=[joined, mention(1)])
        with holder._opened.written_alone():
            writer.start()
            writer.join(0.2)
            assert writer.is_alive()
        writer.join(1)
        assert holder.claim_question().incoming == mention(1)


def test_database_of_another_version_is_refused(url, clock):
    """A database that we do not understand is not touched."""
    open_store(url, clock=clock).close()
    _rows(url, "UPDATE meta SET version = 99 RETURNING version")
    with pytest.raises(StoreError, match="version 99 and this Clippings knows 3"):
        open_store(url, clock=clock)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("bot.db", "is no URL"),
        ("sqlite://", "names no file"),
        ("mysql://u:secret@host/db", "names mysql"),
        ("sqlite:////no/such/folder/bot.db", "can not be written: No such file"),
    ],
)
def test_unusable_url_is_explained_without_its_password(url, message, clock):
    """The message says what to write, and never what was written."""
    with pytest.raises(StoreError, match=message) as raised:
        open_store(url, clock=clock)
    assert "secret" not in str(raised.value)


def test_full_disk_is_an_error_and_loses_nothing(store):
    """What can not be stored is not acknowledged; what was stored before is there."""
    put(store, mention(1))
    with store.engine.connect() as db:
        pages = db.execute(text("PRAGMA page_count")).scalar()
        raw = db.connection.dbapi_connection
        raw.execute(f"PRAGMA max_page_count={pages}")
        big = mention(2, text="x" * 100_000)
    with pytest.raises(StoreError, match="does not take it"):
        put(store, big)
    assert store.claim_question().incoming == mention(1)


def test_several_threads_put_and_claim_without_losing_any(url):
    """Forty questions put by four threads and claimed by four come out once each."""
    with open_store(url, clock=time.time) as store:
        bounds = Bounds(in_all=100, per_channel=100, per_user=100)
        claimed, lock = [], threading.Lock()

        def ask(start):
            for number in range(start, start + 10):
                put(store, mention(number), bounds)

        def work():
            while len(claimed) < 40:
                if (question := store.claim_question()) is not None:
                    with lock:
                        claimed.append(question.incoming.event_id)

        threads = [threading.Thread(target=ask, args=(n,)) for n in (0, 10, 20, 30)]
        threads += [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(claimed) == sorted(f"Ev{number}" for number in range(40))


KILLED = """
import sys, time
from bot.incoming import Incoming
from bot.store import Bounds, open_store
store = open_store(sys.argv[1], clock=time.time)
for number in range(10_000):
    store.put(
        Incoming(event_id=f"Ev{number}", team="T1", channel="C1", ts=str(number), thread_ts=None,
                 user="U1", surface="mention", text="?"),
        bounds=Bounds(in_all=99_999, per_channel=99_999, per_user=99_999),
    )
    print(number, flush=True)
"""


def test_kill_loses_nothing_that_put_returned_for(url):
    """After kill -9 every question whose put had returned is there."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, url],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    last = [int(process.stdout.readline()) for _ in range(50)][-1]
    process.kill()
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    last = int(rest[-1]) if rest else last
    with open_store(url, clock=time.time) as store:
        kept = {question.incoming.event_id for question in iter(store.claim_question, None)}
    assert {f"Ev{number}" for number in range(last + 1)} <= kept


def _rows(url, statement):
    engine = create_engine(url)
    with engine.begin() as db:
        rows = [tuple(row) for row in db.execute(text(statement))]
    engine.dispose()
    return rows


def _dump(url):
    """Give everything that the tables hold."""
    tables = ("events", "questions", "answers", "places", "feedback", "channels")
    return repr([_rows(url, f"SELECT * FROM {table}") for table in tables])  # noqa: S608
