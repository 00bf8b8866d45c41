"""Events that come again, responses that are lost, sockets that are replaced: one answer each.

    python tests/campaigns/repeats.py --events 1000 --posts 500 --refreshes 50

Three runs: events delivered four times each, two of them after a restart; a fifth of all posts
accepted while their responses are lost, under Slack's rate limits; sockets refreshed while events
come in, with envelopes on the old socket too.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    Asker,
    Process,
    Result,
    indexed,
    parser,
    stage,
)
from tests.slack_server import SlackServer

LOST_SHARE = 0.2
# Each lost response is a look into the thread, and Slack allows 50 of these a minute. Faster, more
# and more questions wait for their turn, until the bot says «busy» to new ones.
POST_EVERY_S = 0.3
RETRIES = (0.0, 10.0, 30.0)
REFRESH_EVERY_S = 1.2
LINGERS_S = 2.0  # Slack's ten would soon make more than the ten sockets that an app may have


def repeat_events(slack: SlackServer, app: Process, *, events: int) -> Result:
    """Deliver each event twice, restart the bot, and deliver each twice again."""
    result = Result(name="events delivered four times")
    slack.copies, before = 2, len(slack.deliveries.all)
    asker = Asker(slack)
    for _ in range(events):
        asker.ask()
    first = {each.event_id: each for each in slack.deliveries.all[before:]}
    app.stop()
    app.start()
    for delivery in first.values():
        slack.redeliver(delivery, 2)
        time.sleep(0.002)
    slack.copies = 1
    result.figures["seconds to settle"] = round(asker.settle(), 1)
    result.figures["deliveries"] = len(slack.deliveries.all) - before
    asker.count_into(result)
    return result


def lose_responses(
    slack: SlackServer, _app: Process, *, posts: int, pause_s: float = 0.0
) -> Result:
    """Accept every post, and hang up before the answer in a fifth of the cases."""
    result = Result(name="responses lost after acceptance")
    asker = Asker(slack)
    fault = slack.faults.fail_next(
        "chat.postMessage", lose_response=True, times=None, share=LOST_SHARE
    )
    for _ in range(posts):
        asker.ask()
        time.sleep(pause_s)
    result.figures["seconds to settle"] = round(asker.settle(quiet_s=40.0), 1)
    slack.faults.clear()
    result.figures["responses lost"] = fault.hits
    result.figures["calls of conversations.replies"] = len(slack.calls("conversations.replies"))
    result.figures["429 for conversations.replies"] = sum(
        call.method == "conversations.replies" for call in slack.web.rate_limited
    )
    asker.count_into(result)
    result.require("some responses were lost", fault.hits)
    return result


def refresh_sockets(slack: SlackServer, _app: Process, *, refreshes: int, events: int) -> Result:
    """Ask the bot to connect anew, again and again, while events come in on both sockets."""
    result = Result(name="sockets refreshed")
    slack.deliveries.retry_after = RETRIES
    asker = Asker(slack)
    before, opened = len(slack.deliveries.all), slack.sockets.opened
    done, next_at = 0, time.monotonic() + REFRESH_EVERY_S
    while len(asker.asked) < events or done < refreshes:
        if done < refreshes and time.monotonic() >= next_at:
            slack.sockets.disconnect("refresh_requested", lingers=LINGERS_S)
            done, next_at = done + 1, time.monotonic() + REFRESH_EVERY_S
        if len(asker.asked) < events * (done + 1) / (refreshes + 1):
            asker.ask()
        else:
            time.sleep(0.01)
    result.figures["seconds to settle"] = round(asker.settle(quiet_s=45.0), 1)
    sent = slack.deliveries.all[before:]
    result.figures |= {
        "refreshes": done,
        "sockets opened": slack.sockets.opened - opened,
        "envelopes": len(sent),
        "envelopes without an ack": sum(each.acked is None for each in sent),
        "events given up": len(slack.deliveries.given_up),
    }
    asker.count_into(result)
    return result


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--events", type=int, default=1000)
    made.add_argument("--posts", type=int, default=500)
    made.add_argument("--refreshes", type=int, default=50)
    given = made.parse_args()
    code = 0
    with indexed(given.index) as index:
        with stage(index=index, seed=given.seed) as (slack, app):
            code |= repeat_events(slack, app, events=given.events).show()
        with stage(index=index, seed=given.seed, generosity=1.0) as (slack, app):
            figures = {"posts": given.posts, "pause_s": POST_EVERY_S}
            code |= lose_responses(slack, app, **figures).show()
        with stage(index=index, seed=given.seed) as (slack, app):
            figures = {"events": given.events, "refreshes": given.refreshes}
            code |= refresh_sockets(slack, app, **figures).show()
    return code


if __name__ == "__main__":
    raise SystemExit(main())
