"""The log: one line per record on stderr, ids and times, never what people wrote nor a token."""

import logging
import re
import sys

_MOST_OF_LINE = 1_000
# Bolt's errors quote requests, and the SDK's quote responses that it can not read. What fails in a
# listener, a call or a connection of ours, we log ourselves, by its code.
_LEAST = {
    "bot": logging.INFO,
    "retrieval": logging.INFO,
    "slack_bolt": logging.CRITICAL,
    "slack_sdk": logging.CRITICAL,
}
_SECRET = re.compile(
    r"xox[a-z]-[\w-]+|xapp-[\w-]+|([?&](?:ticket|code|client_secret|token)=)[^\s&\"']+"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class _Line(logging.Formatter):
    """One line per record: no secrets, no traceback, and nothing that forges another line."""

    def format(self, record: logging.LogRecord) -> str:
        kind = record.exc_info[0] if record.exc_info else None
        said = f"{record.getMessage()} {kind.__name__ if kind else ''}".rstrip()
        said = _CONTROL.sub(" ", _SECRET.sub(r"\1[secret]", said))[:_MOST_OF_LINE]
        return f"{self.formatTime(record)} {record.levelname} {record.name} {said}"


def log_on_stderr() -> None:
    """Log what is ours there, and of others what is no chatter."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Line())
    handler.addFilter(_is_told)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _is_told(record: logging.LogRecord) -> bool:
    """Keep what others log below these levels out: it may hold what people wrote, or is chatter."""
    package = record.name.partition(".")[0]
    return record.levelno >= _LEAST.get(package, logging.WARNING)
