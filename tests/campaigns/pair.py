"""Two bots on one PostgreSQL: one is killed again and again, the other goes on, nothing is lost.

    python tests/campaigns/pair.py --kills 20 --questions 800

Slack hands each event to either of the two. Now one is killed, now the other, with questions in
flight; what the dead one had taken up is taken over when its lease has run out (60 s for a
question, 120 s for a call to Slack), or by Slack's next try where it was not acknowledged.
"""

import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    CHANNELS,
    ROOT,
    USERS,
    Asker,
    Process,
    Result,
    indexed,
    parser,
    stage,
)
from tests.postgresql_server import add_database, postgresql
from tests.slack_server import SlackServer

LEASES_S = 150.0  # the longest lease, and some time for the call
RETRIES = (0.0, *(4.0,) * 400)
MOST_WAITING = 30  # the bots take 64 together, and say «busy» to more


@contextmanager
def pair(
    server: str, *, index: Path, seed: int, corpus: Path = ROOT / "corpus"
) -> Iterator[tuple[SlackServer, Sequence[Process]]]:
    """Start a stand-in and two bots on a new database of a PostgreSQL server."""
    variables = {"DATABASE_URL": add_database(server, f"pair{random.getrandbits(32)}")}
    with (
        stage(index=index, seed=seed, corpus=corpus, variables=variables) as (slack, first),
        tempfile.TemporaryDirectory(prefix="campaign-") as made,
    ):
        second = Process(slack, folder=Path(made), corpus=corpus, index=index, variables=variables)
        try:
            second.start()
            yield slack, (first, second)
        finally:
            second.stop()


def run(
    slack: SlackServer, bots: Sequence[Process], *, kills: int, questions: int, seed: int
) -> Result:
    """Kill one bot after the other while questions come in, and count the answers."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    slack.deliveries.retry_after = RETRIES
    # So many people that none has two questions in the hands of the dead, and is told «busy».
    asker = Asker(slack, channels=CHANNELS, users=USERS, most_waiting=MOST_WAITING)
    longest = 0.0
    for life in range(1, kills + 1):
        while len(asker.asked) < questions * life // kills:
            began = time.monotonic()
            asker.ask()
            longest = max(longest, time.monotonic() - began)
            time.sleep(dice.choice((0.0, 0.0, dice.expovariate(1 / 0.05))))
        time.sleep(dice.uniform(0.0, 0.1))
        victim = bots[life % 2]
        victim.kill()
        asker.ask()  # the other one takes it
        victim.start()
    took = asker.settle(quiet_s=LEASES_S)
    result = Result(name="two bots, one killed at random")
    result.figures |= {
        "kills": kills,
        "seconds until the last answer": round(took, 1),
        "longest wait for a place, s": round(longest, 1),
    }
    asker.count_into(result)
    return result


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--kills", type=int, default=20)
    made.add_argument("--questions", type=int, default=800)
    given = made.parse_args()
    with (
        indexed(given.index) as index,
        postgresql() as server,
        pair(server, index=index, seed=given.seed) as (slack, bots),
    ):
        return run(
            slack, bots, kills=given.kills, questions=given.questions, seed=given.seed
        ).show()


if __name__ == "__main__":
    raise SystemExit(main())
