"""What people would see of a message, and what it would do to them.

A reference renderer, stricter than Slack: it takes a message's `text` for mrkdwn whatever `mrkdwn`
and `parse` said, reads `@channel` without angle brackets as a ping, and bare URLs as links.
"""

import re
from collections.abc import Iterator
from typing import Final

from .json_types import Json

_EFFECTS: Final = {
    "ping": r"<!(?:channel|here|everyone|subteam)[^>]*>|<@[UWB][^>]*>"
    r"|(?<!\w)@(?:channel|here|everyone)\b",
    "link": r"<(?:https?:|mailto:|tel:|#C)[^>]*>|<[^>|]*\|[^>]*>|\b(?:https?|mailto):\S",
    "emoji": r"(?<!\w):[a-z0-9_+'\-]+:",
    "bold": r"(?<!\w)\*(?=\S)[^*\n]*(?<=\S)\*(?!\w)",
    "italic": r"(?<!\w)_(?=\S)[^_\n]*(?<=\S)_(?!\w)",
    "strike": r"(?<!\w)~(?=\S)[^~\n]*(?<=\S)~(?!\w)",
    "code": r"`[^`\n]+`",
    "quotation": r"(?m)^&gt;",
}
_OF_PLAIN_TEXT: Final = ("emoji",)
_ELEMENT_EFFECTS: Final = {
    "user": "ping",
    "usergroup": "ping",
    "broadcast": "ping",
    "channel": "link",
    "link": "link",
    "emoji": "emoji",
}


def effects(message: Json) -> list[tuple[str, str]]:
    """List all that is more than characters: (ping, link, emoji, bold, ...; where it stands)."""
    found = _of_mrkdwn(str(message.get("text", "")), tuple(_EFFECTS))
    for node in _objects(message.get("blocks", [])):
        kind = node.get("type")
        if kind in {"mrkdwn", "markdown"}:
            found += _of_mrkdwn(node["text"], tuple(_EFFECTS))
        elif kind == "plain_text" and node.get("emoji") is not False:
            found += _of_mrkdwn(node["text"], _OF_PLAIN_TEXT)
        elif kind in _ELEMENT_EFFECTS:
            found.append((_ELEMENT_EFFECTS[kind], str(node)))
        elif kind == "button" and "url" in node:
            found.append(("link", node["url"]))
    return found


def quotes(message: Json) -> list[str]:
    """Give the text of each rich_text_quote, in order."""
    return [
        "".join(element["text"] for element in node["elements"])
        for node in _objects(message.get("blocks", []))
        if node.get("type") == "rich_text_quote"
    ]


def visible_text(message: Json) -> str:
    """Give all text of the blocks, a line for each text that stands by itself."""
    return "\n".join(
        str(node["text"])
        for node in _objects(message.get("blocks", []))
        if isinstance(node.get("text"), str)
    )


def _of_mrkdwn(text: str, kinds: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(kind, found[0]) for kind in kinds for found in re.finditer(_EFFECTS[kind], text)]


def _objects(node: object) -> Iterator[Json]:
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)
