"""Block Kit: which blocks there are, where they may stand, and how large they may be.

Refusals are worded as Slack words them, with a JSON pointer. Two rules are stricter than Slack's
documents: an array of elements may not be empty, and blocks that the stand-in does not know
(table, video, card, plan, ...) are refused.
"""

from collections import Counter
from typing import Final

from .elements import (
    ACTIONS,
    FEEDBACK_BUTTONS,
    ICON_BUTTON,
    ID,
    IMAGE,
    INPUTS,
    RICH_PARTS,
    URL,
    any_text,
    plain,
)
from .errors import Refused
from .json_types import Json
from .schema import Invalid, Spec, boolean, by_type, list_of, one_of, record, string

MOST_BLOCKS_OF_MESSAGE: Final = 50
MOST_BLOCKS_OF_VIEW: Final = 100
MOST_MARKDOWN: Final = 12_000  # of all markdown blocks of a message together


def check_message_blocks(blocks: object) -> None:
    """Check the blocks of a message.

    Raises:
        Refused: they are not an array (invalid_blocks_format), or one is not right
            (invalid_blocks; `response_metadata.messages` tells which and why).
    """
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    try:
        _MESSAGE(blocks, "/blocks")
        _check_ids(blocks, "/blocks")
        _check_markdown(blocks)
    except Invalid as invalid:
        raise Refused(
            "invalid_blocks",
            errors=[str(invalid)],
            response_metadata={"messages": [str(invalid)]},
        ) from None


def check_view(view: object) -> None:
    """Check a modal or a Home tab.

    Raises:
        Refused: it is not right (invalid_arguments, as views.* say).
    """
    try:
        _VIEW(view, "/view")
        assert isinstance(view, dict)
        _check_ids(view["blocks"], "/view/blocks")
        _check_submit(view)
    except Invalid as invalid:
        raise Refused("invalid_arguments", response_metadata={"messages": [str(invalid)]}) from None


def _check_markdown(blocks: list[Json]) -> None:
    if sum(len(each["text"]) for each in blocks if each["type"] == "markdown") > MOST_MARKDOWN:
        raise Invalid(f"must be less than {MOST_MARKDOWN + 1} characters", "/blocks")


def _check_submit(view: Json) -> None:
    asks = any(block["type"] == "input" for block in view["blocks"])
    if view["type"] == "modal" and asks and "submit" not in view:
        raise Invalid("missing required field: submit", "/view")


def _check_ids(blocks: list[Json], pointer: str) -> None:
    """No two blocks share an id, nor two elements of a block an action_id."""
    ids = Counter(block["block_id"] for block in blocks if "block_id" in block)
    for block_id, count in ids.items():
        if count > 1:
            raise Invalid(f"block_id already exists: {block_id}", pointer)
    for number, block in enumerate(blocks):
        elements = block.get("elements", [])
        actions = Counter(each["action_id"] for each in elements if "action_id" in each)
        for action_id, count in actions.items():
            if count > 1:
                raise Invalid(f"`action_id` already exists: {action_id}", f"{pointer}/{number}")


def _block(
    kind: str, required: dict[str, Spec] | None = None, optional: dict[str, Spec] | None = None
) -> Spec:
    return record({"type": one_of(kind), **(required or {})}, {"block_id": ID, **(optional or {})})


_SECTION_FIELDS: Final = record(
    {"type": one_of("section")},
    {
        "block_id": ID,
        "text": any_text(3000),
        "fields": list_of(any_text(2000), most=10),
        "accessory": by_type("accessory", {**ACTIONS, "image": IMAGE}),
        "expand": boolean,
    },
)


def _section(value: object, pointer: str) -> None:
    _SECTION_FIELDS(value, pointer)
    if isinstance(value, dict) and not value.keys() & {"text", "fields"}:
        raise Invalid("missing required field: text", pointer)


_CONTEXT_ELEMENT: Final = by_type(
    "context element",
    {"image": IMAGE, "plain_text": any_text(3000), "mrkdwn": any_text(3000)},
)
_EVERYWHERE: Final[dict[str, Spec]] = {
    "actions": _block("actions", {"elements": list_of(by_type("action", ACTIONS), most=25)}),
    "context": _block("context", {"elements": list_of(_CONTEXT_ELEMENT, most=10)}),
    "divider": _block("divider"),
    "header": _block("header", {"text": plain(150)}),
    "image": _block(
        "image", {"image_url": URL, "alt_text": string(most=2000)}, {"title": plain(2000)}
    ),
    "input": _block(
        "input",
        {"label": plain(2000), "element": by_type("input", INPUTS)},
        {"hint": plain(2000), "optional": boolean, "dispatch_action": boolean},
    ),
    "rich_text": _block(
        "rich_text", {"elements": list_of(by_type("rich text part", RICH_PARTS), most=1000)}
    ),
    "section": _section,
    "alert": _block(
        "alert",
        {"text": any_text(200)},
        {"level": one_of("default", "info", "warning", "error", "success")},
    ),
}
_IN_MESSAGES: Final[dict[str, Spec]] = {
    **_EVERYWHERE,
    "context_actions": _block(
        "context_actions",
        {
            "elements": list_of(
                by_type(
                    "context action",
                    {"feedback_buttons": FEEDBACK_BUTTONS, "icon_button": ICON_BUTTON},
                ),
                most=5,
            )
        },
    ),
    "markdown": _block("markdown", {"text": string(most=MOST_MARKDOWN)}),
}
_CONTAINER: Final = _block(
    "container",
    {
        "title": plain(150),
        "child_blocks": list_of(by_type("child block", _IN_MESSAGES), most=10),
    },
    {
        "subtitle": any_text(150),
        "width": one_of("narrow", "standard", "wide", "full"),
        "icon": IMAGE,
        "is_collapsible": boolean,
        "default_collapsed": boolean,
        "has_header_divider": boolean,
    },
)
_MESSAGE: Final = list_of(
    by_type("block", {**_IN_MESSAGES, "container": _CONTAINER}), most=MOST_BLOCKS_OF_MESSAGE
)
_VIEW_BLOCKS: Final = list_of(by_type("block", _EVERYWHERE), most=MOST_BLOCKS_OF_VIEW, least=0)
_ANY_VIEW: Final[dict[str, Spec]] = {
    "private_metadata": string(most=3000, least=0),
    "callback_id": string(most=255, least=0),
    "external_id": string(most=255, least=0),
}
_VIEW: Final = by_type(
    "view",
    {
        "home": record({"type": one_of("home"), "blocks": _VIEW_BLOCKS}, _ANY_VIEW),
        "modal": record(
            {"type": one_of("modal"), "title": plain(24), "blocks": _VIEW_BLOCKS},
            {
                **_ANY_VIEW,
                "submit": plain(24),
                "close": plain(24),
                "clear_on_close": boolean,
                "notify_on_close": boolean,
                "submit_disabled": boolean,
            },
        ),
    },
)
