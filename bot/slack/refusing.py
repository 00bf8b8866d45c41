"""«Busy»: tells those whose questions found no room, a few at a time, while answers go first.

What is to be told lies in the inbox, so a crash loses none of it. It is cheap on purpose: a refusal
is made when there is no time for answers, and must not take what there is.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from slack_sdk import WebClient

from bot.metrics import Figures
from bot.slack.elements import Message
from bot.slack.posting import Failed, NotInstalled, Outcome, Verdict, tell
from bot.store import Refused, Store

AT_ONCE: Final = 16  # questions; as many may be told again after a crash
_SHORTEST_WAIT_S = 1.0

logger = logging.getLogger(__name__)


class Refuser:
    """Tells people that their questions were not taken.

    Args:
        busy: What is told, given how many questions of one person in one channel it is about.
        bar: Told the team and Slack's error code where no call of a team can succeed any more;
            gives whether there are other teams.
        on_stop: Called with the error code where there are none.
    """

    def __init__(
        self,
        *,
        store: Store,
        client_for: Callable[[str], WebClient],
        busy: Callable[[int], Message],
        figures: Figures,
        clock: Callable[[], float],
        bar: Callable[[str, str], bool],
        on_stop: Callable[[str], None],
    ) -> None:
        self._store = store
        self._client_for = client_for
        self._busy = busy
        self._figures = figures
        self._clock = clock
        self._bar = bar
        self._on_stop = on_stop

    def tell_some(self) -> bool:
        """Tell those who wait longest; False where nobody is to be told."""
        refused = self._store.claim_refused(most=AT_ONCE)
        done: list[Refused] = []
        for theirs in _by_place(refused):
            outcome = self._tell(theirs)
            if not isinstance(outcome, Failed) or self._is_final(theirs, outcome):
                done += theirs
        if done:
            self._store.close_refused(done)
        return bool(refused)

    def _tell(self, theirs: list[Refused]) -> Outcome | None:
        """Tell one person; None where we have no token to do it with."""
        last = theirs[-1].incoming
        try:
            client = self._client_for(last.team)
        except NotInstalled:
            return None
        outcome = tell(
            client,
            self._busy(len(theirs)),
            channel=last.channel,
            user=last.user,
            thread_ts=last.root or last.thread_ts,
            response_url=last.response_url,
        )
        code = outcome.code if isinstance(outcome, Failed) else "ok"
        self._figures.saw_call("refuse", code)
        level = logging.WARNING if isinstance(outcome, Failed) else logging.INFO
        logger.log(level, "refused event=%s times=%d code=%s", last.event_id, len(theirs), code)
        return outcome

    def _is_final(self, theirs: list[Refused], failed: Failed) -> bool:
        """Say whether there is nothing more to try. What was lost is told again by and by."""
        match failed.verdict:
            case Verdict.LATER:
                until = self._clock() + max(_SHORTEST_WAIT_S, failed.after_s)
                self._store.put_off_refused(theirs, until=until)
                return False
            case Verdict.UNKNOWN:
                return False
            case Verdict.STOP if not self._bar(theirs[-1].incoming.team, failed.code):
                self._on_stop(failed.code)
                return False
            case _:
                return True


def _by_place(refused: Iterable[Refused]) -> list[list[Refused]]:
    """Put together what one person asked in one channel: they are told once."""
    places: dict[tuple[str, str, str], list[Refused]] = {}
    for each in refused:
        asked = each.incoming
        places.setdefault((asked.team, asked.channel, asked.user), []).append(each)
    return list(places.values())
