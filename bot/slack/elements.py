"""What every message and view of the bot is put together from: plain dicts of Block Kit.

Whatever was not written in this package (articles, file names, questions) becomes a `text` element
of a rich_text block, which Slack shows as it is. Nothing of it is ever mrkdwn, and the elements
made here are all there are; a test compares every message and view with that list.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from bot.batch import Json
from bot.visible import safe_name, visible
from bot.wording import day_of, lines_of, said_by
from retrieval import Quote

Block = dict[str, Json]

# Slack refuses messages near 13,200 characters (bolt-js#2509) and promises nothing below.
MOST_CHARACTERS: Final = 10_000
MOST_BLOCKS: Final = 50
# chat.update refuses a `text` above 4,000, and was seen to count bytes (openclaw#116915).
MOST_FALLBACK_BYTES: Final = 3_000
# Code points of one text element: at most 3,000 UTF-16 units; Slack's guide names 5,000.
_MOST_OF_ELEMENT = 1_500
_MOST_OF_NAME = 255
_MOST_OF_SPEAKER = 200

# Pass these with every Message: its `text` is no markup and links nothing. AS_TEXT goes with
# every method; what POSTED adds only chat.postMessage knows.
AS_TEXT: Final = {"parse": "none", "link_names": False}
POSTED: Final = {**AS_TEXT, "mrkdwn": False, "unfurl_links": False, "unfurl_media": False}

# What could open formatting, an emoji, a mention, a link or a quotation if Slack parsed it.
_PARSED = re.compile(
    r"(?<![^\W_])[*_~](?=\S)|`|@(?=\w)|^&gt;"
    r"|:(?=[^\s:]+:|//)|(?:(?<=http)|(?<=https)|(?<=mailto)|(?<=tel)):",
    re.MULTILINE | re.IGNORECASE,
)
_JOINER = "\u2060"  # invisible, and no space: it parts what would be read as one
_ALIKE = {"*": "\u2217", "_": "\u02cd", "~": "\u223c", "`": "\u02cb"}  # nothing else would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What goes to Slack.

    Attributes:
        text: What notifications and screen readers have: the same in short, at most 3,000 bytes.
        blocks: At most 50, and at most 10,000 characters as JSON.
        quotes: The text of each rich_text_quote, in order: what Slack must give back unchanged.
    """

    text: str
    blocks: tuple[Block, ...]
    quotes: tuple[str, ...] = ()


def text(shown: str, *, style: Literal["bold", "italic", "code"] | None = None) -> Block:
    element: Block = {"type": "text", "text": shown}
    return element if style is None else {**element, "style": {style: True}}


def texts(shown: str, *, style: Literal["bold"] | None = None) -> list[Block]:
    """Cut what may be long into elements; joined again they are the text."""
    starts = range(0, len(shown), _MOST_OF_ELEMENT)
    return [text(shown[start : start + _MOST_OF_ELEMENT], style=style) for start in starts]


def section(*elements: Block) -> Block:
    return {"type": "rich_text_section", "elements": list(elements)}


def quotation(quoted: str) -> Block:
    return {"type": "rich_text_quote", "elements": list(texts(quoted))}


def preformatted(shown: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": list(texts(shown))}


def bullets(items: Iterable[str]) -> Block:
    elements: list[Json] = [section(text(item)) for item in items]
    return {"type": "rich_text_list", "style": "bullet", "elements": elements}


def rich_text(*parts: Block) -> Block:
    return {"type": "rich_text", "elements": list(parts)}


def plain(shown: str) -> Block:
    """Label something: our own words alone, for Slack might read more into other people's."""
    return {"type": "plain_text", "text": shown, "emoji": False}


def context(shown: str) -> Block:
    return {"type": "context", "elements": [plain(shown)]}


def header(shown: str) -> Block:
    return {"type": "header", "text": plain(shown)}


def divider() -> Block:
    return {"type": "divider"}


def button(label: str, action: str, value: str) -> Block:
    return {"type": "button", "text": plain(label), "action_id": action, "value": value}


def actions(*buttons: Block) -> Block:
    return {"type": "actions", "elements": list(buttons)}


def size(blocks: Iterable[Block]) -> int:
    """Count the UTF-16 units of blocks as JSON: more than code points, never fewer."""
    written = json.dumps(list(blocks), ensure_ascii=False)
    return len(written.encode("utf-16-le", "surrogatepass")) // 2


def one_line(shown: str, *, most: int) -> str:
    """Show on one line what somebody typed; if it is longer than `most`, cut it and say so."""
    line = " ".join(visible(shown).split())
    return line if len(line) <= most else f"{line[:most]}… (shortened)"


def name(path: str) -> Block:
    """Show the name of a file; of one longer than files may have, «…» and the end."""
    shown = safe_name(path)
    return text(
        shown if len(shown) <= _MOST_OF_NAME else f"…{shown[-_MOST_OF_NAME:]}", style="code"
    )


def source(quote: Quote) -> list[Block]:
    """Show where a quote stands: file, lines, day of publication, speaker."""
    said = [one_line(said_by(quote.speaker), most=_MOST_OF_SPEAKER)] if quote.speaker else []
    facts = [lines_of(quote), day_of(quote.article.published), *said]
    return [name(quote.article.path), text("".join(f" · {fact}" for fact in facts))]


def fallback(shown: str) -> str:
    """Make text harmless where Slack reads mrkdwn: in the `text` of a message.

    Slack has no escape for its marks, and `mrkdwn: false` is not known everywhere: a mark that
    could open formatting becomes a character that looks like it. The blocks have it as it is.
    """
    escaped = visible(shown).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _PARSED.sub(lambda found: _ALIKE.get(found[0], f"{_JOINER}{found[0]}{_JOINER}"), escaped)


def fallback_of(parts: Sequence[str]) -> str:
    """Join as many whole parts as fit; if some do not, say so."""
    rest = "\nMore in the message."
    kept = ""
    for number, part in enumerate(map(fallback, parts), start=1):
        longer = f"{kept}\n{part}" if kept else part
        room = MOST_FALLBACK_BYTES - (len(rest) if number < len(parts) else 0)
        if len(longer.encode()) > room:
            return (kept + rest).strip()
        kept = longer
    return kept
