"""Twenty-five of Slack's error codes: each question ends as its code deserves, in at most 5 tries.

    python tests/campaigns/slack_errors.py

What will not succeed ends the question at once. What is too large is tried again with less. What
may have happened is looked up and tried again. What stops every call stops the process, with exit
code 78 and a line that names the code; the question is answered after the next start.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    Process,
    Result,
    indexed,
    parser,
    question,
    stage,
)
from tests.slack_server import SlackServer

MOST_TRIES = 5
FIRST_CHANNEL = 100  # of those that no other campaign uses
REFUSED = 78  # EX_CONFIG of sysexits.h
ENDS_AT_ONCE = (
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "cannot_reply_to_message",
    "messages_tab_disabled",
    "thread_not_found",
    "team_not_found",
    "ekm_access_denied",
)
SHRINKS = ("msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format")
MAY_HAVE_HAPPENED = ("internal_error", "fatal_error", "service_unavailable", "request_timeout")
STOPS_ALL = ("invalid_auth", "not_authed", "token_revoked", "account_inactive", "missing_scope")
CODES = (*ENDS_AT_ONCE, *SHRINKS, *MAY_HAVE_HAPPENED, *STOPS_ALL)


def run(
    slack: SlackServer, app: Process, *, codes: tuple[str, ...] = CODES, quiet_s: float = 60.0
) -> Result:
    """Give each code to every post in a channel of its own, and count the tries."""
    result = Result(name="Slack's error codes")
    numbered = list(enumerate(codes, start=FIRST_CHANNEL))
    for number, code in numbered:
        if code not in STOPS_ALL:
            _fail(slack, number, code)
            _ask(slack, number)
    _wait_until_quiet(slack, quiet_s)
    for number, code in numbered:
        if code not in STOPS_ALL:
            _judge(result, slack, number, code)
    result.require("the bot is still running", app.is_running)
    for number, code in numbered:
        if code in STOPS_ALL:
            _stop_all(result, slack, app, number, code)
    slack.faults.clear()
    result.require_no_refusals(slack)
    return result


def _fail(slack: SlackServer, number: int, code: str) -> None:
    slack.faults.fail_next("chat.postMessage", error=code, times=None, channel=f"CW{number}")


def _ask(slack: SlackServer, number: int) -> str:
    return slack.mention(question(0), user=f"W{number}", channel=f"CW{number}")


def _tries(slack: SlackServer, number: int) -> int:
    return sum(
        call.arguments.get("channel") == f"CW{number}" for call in slack.calls("chat.postMessage")
    )


def _wait_until_quiet(slack: SlackServer, quiet_s: float) -> None:
    """Wait until no post was tried for a while."""
    seen, since = -1, time.monotonic()
    while time.monotonic() - since < quiet_s:
        if (count := len(slack.calls("chat.postMessage"))) != seen:
            seen, since = count, time.monotonic()
        time.sleep(0.2)


def _judge(result: Result, slack: SlackServer, number: int, code: str) -> None:
    tries = _tries(slack, number)
    result.figures[code] = f"{tries} tries"
    result.require(f"{code}: at least one try, at most {MOST_TRIES}", 1 <= tries <= MOST_TRIES)
    if code in ENDS_AT_ONCE:
        result.require(f"{code}: one try", tries == 1)
    else:
        result.require(f"{code}: tried again", tries > 1)


def _stop_all(result: Result, slack: SlackServer, app: Process, number: int, code: str) -> None:
    """Let a code stop the process, then start it anew without the fault."""
    _fail(slack, number, code)
    ts = _ask(slack, number)
    exit_code = app.wait(20)
    tries = _tries(slack, number)
    slack.faults.clear()
    result.require(f"{code}: exit code {REFUSED}", exit_code == REFUSED)
    result.require(f"{code}: one try", tries == 1)
    result.require(f"{code}: the last line names it", code in app.tail(1))
    app.start()
    answered = slack.wait_for(lambda: slack.replies(f"CW{number}", ts), 15)
    result.require(f"{code}: answered after the next start", answered)
    result.figures[code] = f"{tries} try, exit code {exit_code}, answered after the next start"


def main() -> int:
    given = parser(__doc__).parse_args()
    with indexed(given.index) as index, stage(index=index, seed=given.seed) as (slack, app):
        return run(slack, app).show()


if __name__ == "__main__":
    raise SystemExit(main())
