"""The store on PostgreSQL: several bots share the work, each question is answered by one.

The tests start a server of their own where PostgreSQL's programs are at hand, and are skipped
elsewhere.
"""

import threading
import time
from contextlib import ExitStack

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from slack_sdk import WebClient

from bot.incoming import Place
from bot.slack.installations import Installations, Installed
from bot.store import Bounds, Letter, StoreError, open_store
from tests.bot.test_store import Clock, answer, delete, deliver, edit, mention, put
from tests.postgresql_server import NoPostgresql, add_database, postgresql

WIDE = Bounds(in_all=999, per_channel=999, per_user=999)


@pytest.fixture(scope="module")
def server():
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql())
        except NoPostgresql as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture
def url(server, request):
    """A database of its own for each test."""
    return add_database(server, f"t{abs(hash(request.node.name))}")


@pytest.fixture
def clock():
    return Clock()


def test_question_goes_the_whole_way(url, clock):
    """Put, claimed, answered, posted; texts come back code point for code point."""
    place = Place(path="a/b\udce9.txt", sha256="11", start=3, end=9)
    with open_store(url, clock=clock) as store:
        asked = mention(text="a\x00b\ud800 «é»")
        assert [put(store, asked), put(store, asked)] == ["taken", "duplicate"]
        claimed = store.claim_question()
        assert claimed.incoming == asked
        letter = Letter(payload="[answer]", private=False, places=(place,))
        assert store.finish(claimed, letter)
        deliver(store, ts="42.0")
        assert store.shown(claimed.answer_id).places == (place,)
        assert store.count_open() == 0


def test_edit_and_deletion_work_as_on_sqlite(url, clock):
    """An edit changes the message, a deletion takes it back."""
    with open_store(url, clock=clock) as store:
        put(store, mention())
        answer(store)
        deliver(store, ts="42.0")
        put(store, edit(mention(), "Better?"))
        answer(store, payload="[better]")
        job = store.claim_job(pace_s=0.0)
        assert (job.ts, job.payload) == ("42.0", "[better]")
        store.posted(job, ts="42.0")
        put(store, delete(mention()))
        assert store.claim_job(pace_s=0.0).wanted == "removed"


def test_second_bot_takes_over_when_the_lease_has_run_out(url, clock):
    """Opening releases nothing: the other bot may be alive. Its lease decides."""
    with open_store(url, clock=clock) as dead, open_store(url, clock=clock) as heir:
        put(dead, mention())
        left = dead.claim_question()
        assert heir.claim_question() is None
        clock.pass_(61.0)
        taken = heir.claim_question()
        assert not dead.finish(left, Letter(payload="[late]", private=False))
        assert heir.finish(taken, Letter(payload="[heir]", private=False))
        dead.claim_job(pace_s=0.0)
        clock.pass_(121.0)
        job = heir.claim_job(pace_s=0.0)
        assert (job.payload, job.look_first) == ("[heir]", True)


def test_bounds_hold_for_all_bots_together(url):
    """Ten threads of two bots put thirty questions; twelve find room."""
    bounds = Bounds(in_all=12, per_channel=99, per_user=99)
    with open_store(url, clock=time.time) as one, open_store(url, clock=time.time) as other:
        said = []

        def ask(start):
            store = (one, other)[start % 2]
            said.extend(put(store, mention(10 * start + n), bounds) for n in range(3))

        _run_all(threading.Thread(target=ask, args=(start,)) for start in range(10))
    assert (said.count("taken"), said.count("busy")) == (12, 18)


def test_two_bots_share_the_work_and_do_nothing_twice(url):
    """Sixty questions come to both bots; each is answered and sent once."""
    answered, sent, lock = [], [], threading.Lock()
    with open_store(url, clock=time.time) as one, open_store(url, clock=time.time) as other:

        def hear(store):
            for number in range(60):
                put(store, mention(number, channel=f"C{number % 7}"), WIDE)

        def work(store):
            while len(sent) < 60:
                if (claimed := store.claim_question()) is not None:
                    store.finish(claimed, Letter(payload="[]", private=False))
                    with lock:
                        answered.append(claimed.incoming.event_id)
                if (job := store.claim_job(pace_s=0.0)) is not None:
                    assert store.posted(job, ts="42.0")
                    with lock:
                        sent.append(job.answer_id)

        threads = [threading.Thread(target=hear, args=(store,)) for store in (one, other)]
        threads += [threading.Thread(target=work, args=(store,)) for store in (one, other) * 2]
        _run_all(threads)
        assert one.count_open() == 0
    assert sorted(answered) == sorted(f"Ev{number}" for number in range(60))
    assert (len(sent), len(set(sent))) == (60, 60)


def test_a_channel_keeps_its_pace_for_all_bots_together(url, clock):
    """Two bots do not make two messages a second."""
    with open_store(url, clock=clock) as one, open_store(url, clock=clock) as other:
        for number in (1, 2):
            put(one, mention(number))
            answer(one)
        assert one.claim_job(pace_s=1.0) is not None
        assert other.claim_job(pace_s=1.0) is None
        clock.pass_(1.0)
        assert other.claim_job(pace_s=1.0) is not None


def test_two_bots_may_start_at_once(url):
    """Both make the tables; neither fails."""
    opened = []
    _run_all(
        threading.Thread(target=lambda: opened.append(open_store(url, clock=time.time)))
        for _ in range(4)
    )
    assert len(opened) == 4
    for store in opened:
        store.close()


def test_state_that_many_bring_at_once_is_taken_once(url, clock):
    """Two bots behind one address, and a browser that asks both."""
    with open_store(url, clock=clock) as store, open_store(url, clock=clock) as other:
        assert store.issue_state("a" * 36)
        taken = []
        _run_all(
            threading.Thread(target=lambda one=one: taken.append(one.take_state("a" * 36)))
            for one in (store, other) * 8
        )
        assert sorted(taken) == [False] * 15 + [True]


def test_installation_is_seen_by_every_bot_and_gone_for_every_bot(url, clock):
    """No bot keeps a token that another one removed."""
    key = SecretStr(Fernet.generate_key().decode())

    def client(token):
        return WebClient(token.get_secret_value())

    with open_store(url, clock=clock) as store, open_store(url, clock=clock) as other:
        ours, theirs = (
            Installations(one, client_id="1.2", key=key, client=client, clock=clock)
            for one in (store, other)
        )
        given = Installed(
            team="T2",
            app="A1",
            token=SecretStr("xoxb-2-" + "x" * 50),
            scopes="commands,chat:write",
            bot_id="B1",
            bot_user="U1",
        )
        ours.save(given)
        ours.save(given)
        assert theirs.client_for("T2").token == given.token.get_secret_value()
        assert theirs.authorize("T2").bot_user_id == "U1"
        theirs.remove("T2", clock())
        assert ours.authorize("T2") is None


def test_server_that_is_not_there_is_an_error_without_the_password(clock):
    """The message tells what is wrong, and no secret."""
    with pytest.raises(StoreError, match="can not be opened: OperationalError") as raised:
        open_store("postgresql://bot:secret@127.0.0.1:9/x", clock=clock)
    assert "secret" not in str(raised.value)


def _run_all(threads):
    running = list(threads)
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
