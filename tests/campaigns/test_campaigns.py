"""The campaigns, small: a few kills, events and articles. In full they run by hand.

One bot and one stand-in serve all tests of this file; each test uses channels or counts of its own.
"""

from contextlib import ExitStack

import pytest

from tests.campaigns import hostile, kills, load, pair, repeats, slack_errors
from tests.campaigns.harness import CONTROL, build_index, stage
from tests.postgresql_server import NoPostgresql, postgresql

ARTICLES = 12


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Hostile articles, the questions that they answer, and their index."""
    folder = tmp_path_factory.mktemp("campaigns")
    corpus, index = folder / "corpus", folder / "index"
    questions = hostile.write_articles(corpus, count=ARTICLES, seed=1)
    build_index(corpus, index)
    return corpus, index, questions


@pytest.fixture(scope="module")
def bot(world):
    """A stand-in and the bot, connected: (slack, app)."""
    corpus, index, _ = world
    with stage(index=index, corpus=corpus, seed=1) as running:
        yield running


def test_hostile_text_stays_text(bot, world):
    """Articles, names and questions made of everything that Slack would parse."""
    corpus, _, questions = world
    result = hostile.run(*bot, corpus=corpus, questions=questions, opened=2)
    assert result.misses == []


def test_load_is_carried(bot):
    """A few seconds of questions, without the overload."""
    result = load.run(*bot, rate=5, seconds=2, overload=0, seed=1)
    assert result.misses == []


def test_lost_responses_cost_nothing(bot):
    """A post whose response is lost is found, and not posted again."""
    assert repeats.lose_responses(*bot, posts=15).misses == []


def test_refreshed_sockets_lose_nothing(bot):
    """Events on the old socket come again on the new one."""
    assert repeats.refresh_sockets(*bot, refreshes=2, events=15).misses == []


def test_errors_end_as_they_deserve(bot):
    """An error of each kind: the question ends, the answer shrinks, the process stops."""
    codes = ("is_archived", "invalid_blocks", "token_revoked")
    assert slack_errors.run(*bot, codes=codes, quiet_s=3).misses == []


def test_repeated_events_have_one_answer(bot):
    """Four deliveries, two of them after a restart."""
    assert repeats.repeat_events(*bot, events=10).misses == []


def test_nothing_is_lost_by_a_kill(bot):
    """Kill -9 with questions in flight: each is answered, once."""
    assert kills.run(*bot, kills=1, questions=30, seed=1).misses == []


def test_two_bots_lose_nothing(world):
    """One of two bots on a PostgreSQL is killed; the other answers what it had taken up."""
    corpus, index, _ = world
    with ExitStack() as stack:
        try:
            server = stack.enter_context(postgresql())
        except NoPostgresql as error:
            pytest.skip(str(error))
        running = stack.enter_context(pair.pair(server, index=index, corpus=corpus, seed=1))
        assert pair.run(*running, kills=1, questions=30, seed=1).misses == []


def test_the_control_loses_questions(world):
    """The same kill costs a plain Bolt listener some of its questions."""
    corpus, index, _ = world
    with stage(index=index, corpus=corpus, program=CONTROL, seed=1) as running:
        assert kills.control(*running, kills=1, questions=30, seed=1).misses == []
