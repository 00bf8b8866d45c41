"""What came in from Slack, as plain data: shared by the store below and `bot.slack` above.

A surface's `ts` is what makes it unique in its channel:

    mention, message   the ts of the message that asks; `thread_ts` only where it stands in a thread
    command, shortcut  the trigger id (Slack gives a command no ts, and a message may be asked about
                       twice); `event_id` may be the same trigger id
    edit, delete       the ts of the message that was edited or deleted; `text` is the new text
"""

from dataclasses import dataclass
from typing import Literal

Surface = Literal["mention", "message", "command", "shortcut", "edit", "delete"]
Accepted = Literal["taken", "duplicate", "busy", "applied", "ignored"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """One event of Slack's that may need work.

    Attributes:
        surface: Where it came in; `message` is a direct message or a message in a followed thread.
        text: What is asked, as plain text (already unescaped), nothing of the mention left.
        response_url: Where a private answer may be sent, five times within 30 minutes.
        trigger: What opens a modal, once, within 3 s.
        edited: When the edit was made, as Slack's ts: an older edit never replaces a newer one.
    """

    event_id: str
    team: str
    channel: str
    ts: str
    thread_ts: str | None
    user: str
    surface: Surface
    text: str
    response_url: str | None = None
    trigger: str | None = None
    edited: str | None = None

    @property
    def root(self) -> str | None:
        """The thread that the answer goes to; a command or shortcut has none."""
        return None if self.surface in ("command", "shortcut") else self.thread_ts or self.ts


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a shown quote stands: enough to show it again, letter by letter, after a restart.

    Attributes:
        sha256: Of the bytes of the article.
        start, end: Code points of the article's text, half-open.
    """

    path: str
    sha256: str
    start: int
    end: int
