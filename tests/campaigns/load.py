"""20 questions a second for a minute, then three times what can be served: nobody is left waiting.

    python tests/campaigns/load.py --rate 20 --seconds 60 --overload 30

Questions come at times fixed beforehand, whether or not the bot keeps up (an open loop); times are
measured from when a question was to come. The stand-in, the generator and the bot share the
machine. Slack's rate limits are set aside: what is measured is the bot. What can be served changes
from minute to minute, so it is measured before and after each of three parts of the overload, and
the median counts; «stolen» is the time that the machine's host gave to others meanwhile.
"""

import itertools
import os
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    CHANNELS,
    USERS,
    Process,
    Result,
    indexed,
    parser,
    percentile,
    question,
    stage,
)
from tests.slack_server import SlackServer

ACK_P99_S, POSTED_P95_S, SERVED_SHARE = 0.5, 1.5, 0.9
CAPACITY_S, PARTS = 8.0, 3


class Load:
    """Questions at fixed times, each from another user, spread over many channels."""

    def __init__(self, slack: SlackServer, *, seed: int) -> None:
        self._slack = slack
        self._dice = random.Random(seed)  # noqa: S311 - it must repeat
        self._numbers = itertools.count()

    def offer(self, *, rate: float, seconds: float) -> dict[tuple[str, str], float]:
        """Ask at random times, `rate` a second; gives when each question was to come."""
        asked = {}
        due = time.monotonic()
        end = due + seconds
        while (due := due + self._dice.expovariate(rate)) < end:
            time.sleep(max(0.0, due - time.monotonic()))
            number = next(self._numbers)
            channel = f"CW{number % CHANNELS + 1}"
            ts = self._slack.mention(
                question(number), user=f"W{number % USERS + 1}", channel=channel
            )
            asked[channel, ts] = due
        return asked

    def posted(self, asked: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        """Give when the answer of each question was posted."""
        return dict(self._calls("chat.postMessage", asked))

    def told(self, asked: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        """Give when «busy» was told to each question that was."""
        return dict(self._calls("chat.postEphemeral", asked))

    def replies(self, asked: dict[tuple[str, str], float]) -> Counter[int]:
        """Count how many questions got 0, 1, 2, ... replies, answers and «busy» together."""
        methods = ("chat.postMessage", "chat.postEphemeral")
        counts = Counter(place for name in methods for place, _ in self._calls(name, asked))
        return Counter(counts[place] for place in asked)

    def _calls(
        self, method: str, asked: dict[tuple[str, str], float]
    ) -> list[tuple[tuple[str, str], float]]:
        return [
            (place, call.at)
            for call in self._slack.calls(method)
            if call.error is None
            and (place := (call.arguments["channel"], call.arguments.get("thread_ts"))) in asked
        ]


def run(
    slack: SlackServer, _app: Process, *, rate: float, seconds: float, overload: float, seed: int
) -> Result:
    """Offer a steady load, find out how much can be served, and offer three times as much."""
    result = Result(name="load")
    load = Load(slack, seed=seed)
    load.offer(rate=5, seconds=2)  # the first questions warm caches
    time.sleep(2)
    _steady(result, slack, load, rate=rate, seconds=seconds)
    if overload:
        _overload(result, slack, load, seconds=overload)
    result.require_no_refusals(slack)
    return result


def _steady(result: Result, slack: SlackServer, load: Load, *, rate: float, seconds: float) -> None:
    before = len(slack.deliveries.all)
    asked = load.offer(rate=rate, seconds=seconds)
    slack.wait_for(lambda: len(load.posted(asked)) == len(asked), 20)
    posted = load.posted(asked)
    acks = [each.seconds for each in slack.deliveries.all[before:]]
    ack_p99 = percentile([s if s is not None else 99.0 for s in acks], 0.99)
    waits = [posted.get(place, due + 99) - due for place, due in asked.items()]
    result.figures |= {
        "questions": len(asked),
        "questions a second": round(len(asked) / seconds, 1),
        "ack p50 and p99, s": f"{percentile(acks, 0.5):.3f} {ack_p99:.3f}",
        "posted p50 and p95, s": f"{percentile(waits, 0.5):.3f} {percentile(waits, 0.95):.3f}",
        "not posted": len(asked) - len(posted),
    }
    result.require(f"ack p99 < {ACK_P99_S} s", ack_p99 < ACK_P99_S)
    result.require(f"posted p95 < {POSTED_P95_S} s", percentile(waits, 0.95) < POSTED_P95_S)
    result.require("all are posted", len(posted) == len(asked))


def _capacity(slack: SlackServer, load: Load, *, seconds: float) -> float:
    """Keep the bot busy, with no more waiting than it takes; gives how many it serves a second."""
    began, before = time.monotonic(), slack.space.posts
    offered = 0
    while time.monotonic() - began < seconds:
        if offered - (slack.space.posts - before) < 30:
            number = next(load._numbers)
            slack.mention(
                question(number),
                user=f"W{number % USERS + 1}",
                channel=f"CW{number % CHANNELS + 1}",
            )
            offered += 1
        else:
            time.sleep(0.002)
    capacity = (slack.space.posts - before) / (time.monotonic() - began)
    slack.wait_for(lambda: slack.space.posts - before >= offered, 20)
    return capacity


def _overload(result: Result, slack: SlackServer, load: Load, *, seconds: float) -> None:
    """Offer three times what can be served, in parts, and count what was answered meanwhile."""
    deliveries = len(slack.deliveries.all)
    asked: dict[tuple[str, str], float] = {}
    capacities, served, stolen = [_capacity(slack, load, seconds=CAPACITY_S)], [], []
    for _ in range(PARTS):
        posts, began, lost = slack.space.posts, time.monotonic(), _stolen_s()
        asked.update(load.offer(rate=3 * capacities[0], seconds=seconds / PARTS))
        took = time.monotonic() - began  # longer, where the generator did not keep up
        served.append((slack.space.posts - posts) / took)
        stolen.append((_stolen_s() - lost) / took)
        slack.wait_for(lambda: not load.replies(asked)[0], 60)
        capacities.append(_capacity(slack, load, seconds=CAPACITY_S))
    shares = [
        each / statistics.mean(around)
        for each, around in zip(served, itertools.pairwise(capacities), strict=True)
    ]
    told, replies = load.told(asked), load.replies(asked)
    waits = [at - asked[place] for place, at in told.items()]
    acks = [each.seconds for each in slack.deliveries.all[deliveries:]]
    ack_p99 = percentile([s if s is not None else 99.0 for s in acks], 0.99)
    result.figures |= {
        "overload, questions": len(asked),
        "served a second, before, between and after": _row(capacities),
        "served meanwhile, a second": _row(served),
        "served, of capacity": " ".join(f"{share:.0%}" for share in shares),
        "stolen, of a core": _row(stolen),
        "answered": len(load.posted(asked)),
        "told «busy»": len(told),
        "told after p50 and p95, s": f"{percentile(waits, 0.5):.3f} {percentile(waits, 0.95):.3f}",
        "ack p99, s": round(ack_p99, 3),
        "told nothing": replies[0],
        "told twice": sum(n for many, n in replies.items() if many > 1),
    }
    result.require(f"{SERVED_SHARE:.0%} of capacity", statistics.median(shares) >= SERVED_SHARE)
    result.require("every question is answered or told «busy», once", replies == {1: len(asked)})


def _row(values: list[float]) -> str:
    return " ".join(f"{value:.1f}" for value in values)


def _stolen_s() -> float:
    """Give the seconds that all cores waited for the host since it started; 0 where unknown."""
    try:
        cores = Path("/proc/stat").read_text("ascii").split("\n", 1)[0].split()
    except OSError:
        return 0.0
    return int(cores[8]) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--rate", type=float, default=20.0)
    made.add_argument("--seconds", type=float, default=60.0)
    made.add_argument("--overload", type=float, default=30.0, help="seconds of it; 0 for none")
    made.add_argument("--reranker", default="", help="RERANKER_MODEL of the bot; else its default")
    given = made.parse_args()
    variables = {"RERANKER_MODEL": given.reranker} if given.reranker else None
    with (
        indexed(given.index) as index,
        stage(index=index, seed=given.seed, variables=variables) as (slack, app),
    ):
        return run(
            slack,
            app,
            rate=given.rate,
            seconds=given.seconds,
            overload=given.overload,
            seed=given.seed,
        ).show()


if __name__ == "__main__":
    raise SystemExit(main())
