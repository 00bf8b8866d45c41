"""kill -9 at random while questions are in flight: none is lost, none is answered twice.

    python tests/campaigns/kills.py --kills 50 --questions 2000
    python tests/campaigns/kills.py --kills 10 --questions 400 --control    # must lose some

Slack would give an event up after three more tries, within six minutes; the stand-in goes on
trying here, every few seconds, for the bot is down far more often than any bot ever is. So every
question is taken sooner or later, and what counts is what becomes of it then. Rate limits are set
aside but for what the bot asks of itself.
"""

import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    BOT,
    CONTROL,
    SECOND_ANSWER_S,
    Process,
    Result,
    answers_of,
    indexed,
    parser,
    question,
    stage,
    wait_until_settled,
)
from tests.slack_server import SlackServer

CHANNELS, USERS = 40, 200
QUIET_S = 6.0  # longer than a retry takes; then nothing more will come
RETRIES = (0.0, *(4.0,) * 400)
WHILE_DOWN = 2  # questions that come while nobody listens, after each kill
AT_ONCE = 20  # come just before each kill: some are in flight then, however quick the machine is
MOST_WAITING = 30  # of all questions; the bot takes 64, and says «busy» to more


def run(
    slack: SlackServer,
    app: Process,
    *,
    kills: int,
    questions: int,
    seed: int,
    most_waiting: int = MOST_WAITING,
) -> Result:
    """Kill the app again and again while questions come in, and count their answers.

    Args:
        most_waiting: No question comes while so many wait for their answer.
    """
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    slack.deliveries.retry_after = RETRIES
    asked: list[tuple[str, str]] = []
    posted = slack.space.posts
    for life in range(1, kills + 1):
        wanted = questions * life // kills - WHILE_DOWN
        while len(asked) < wanted:
            slack.wait_for(lambda: len(asked) + posted - slack.space.posts < most_waiting, 30)
            _ask(slack, asked)
            if len(asked) < wanted - AT_ONCE:
                time.sleep(dice.choice((0.0, 0.0, dice.expovariate(1 / 0.05))))
        time.sleep(dice.uniform(0.0, 0.3))
        app.kill()
        for _ in range(WHILE_DOWN):
            _ask(slack, asked)
        app.start()
    took = _settle(slack, asked)
    result = Result(name="killed at random")
    counts = answers_of(slack, asked)
    result.figures |= {
        "kills": kills,
        "questions": len(asked),
        "answered once": counts[1],
        "lost": counts[0],
        "answered twice or more": sum(n for many, n in counts.items() if many > 1),
        "told «busy»": len(slack.ephemerals),
        "never delivered": len(slack.deliveries.given_up),
        "seconds after the last start": round(took, 1),
    }
    result.require("every question is answered exactly once", counts == {1: len(asked)})
    result.require_no_refusals(slack)
    return result


def control(slack: SlackServer, app: Process, *, kills: int, questions: int, seed: int) -> Result:
    """Do the same to the plain Bolt listener, which must lose some."""
    # What it lost waits for ever, so nothing may wait for that.
    result = run(
        slack, app, kills=kills, questions=questions, seed=seed, most_waiting=questions + 1
    )
    result.name = "the control: plain Bolt, killed at random"
    result.misses.clear()
    result.require("the control loses some", result.figures["lost"])
    return result


def _ask(slack: SlackServer, asked: list[tuple[str, str]]) -> None:
    number = len(asked)
    channel, user = f"CW{number % CHANNELS + 1}", f"W{number % USERS + 1}"
    asked.append((channel, slack.mention(question(number), user=user, channel=channel)))


def _settle(slack: SlackServer, asked: list[tuple[str, str]]) -> float:
    began = time.monotonic()
    wait_until_settled(
        slack,
        lambda: not answers_of(slack, asked)[0],
        quiet_s=QUIET_S,
        timeout_s=120.0 + len(asked) / 10,
    )
    took = time.monotonic() - began
    time.sleep(SECOND_ANSWER_S)
    return took


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--kills", type=int, default=50)
    made.add_argument("--questions", type=int, default=2000)
    made.add_argument("--control", action="store_true", help="kill the plain Bolt listener")
    given = made.parse_args()
    program, campaign = (CONTROL, control) if given.control else (BOT, run)
    with (
        indexed(given.index) as index,
        stage(index=index, seed=given.seed, program=program) as (slack, app),
    ):
        return campaign(
            slack, app, kills=given.kills, questions=given.questions, seed=given.seed
        ).show()


if __name__ == "__main__":
    raise SystemExit(main())
