"""Block Kit as the stand-in checks it: each limit at its edge, each mistake with its place."""

import copy

import pytest

from tests.slack_server.blocks import check_message_blocks, check_view
from tests.slack_server.errors import Refused


def plain(text: str = "label") -> dict:
    return {"type": "plain_text", "text": text}


def button(**fields) -> dict:
    return {"type": "button", "text": plain(), "action_id": "open", "value": "1", **fields}


def rich(*parts: dict) -> dict:
    return {"type": "rich_text", "elements": list(parts)}


def quotation(*elements: dict, **fields) -> dict:
    return {"type": "rich_text_quote", "elements": list(elements), **fields}


def text(value: str = "words", **fields) -> dict:
    return {"type": "text", "text": value, **fields}


FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "feedback",
    "positive_button": {"text": plain("Good"), "value": "good"},
    "negative_button": {"text": plain("Bad"), "value": "bad"},
}
INPUT = {
    "type": "input",
    "block_id": "question",
    "label": plain(),
    "element": {"type": "plain_text_input", "action_id": "text"},
}
MODAL = {"type": "modal", "title": plain("Title"), "blocks": []}
DIVIDER = {"type": "divider"}

GOOD = {
    "section": {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}},
    "section of fields": {"type": "section", "fields": [plain("x" * 2000)] * 10},
    "section with a button": {"type": "section", "text": plain(), "accessory": button()},
    "header": {"type": "header", "text": plain("x" * 150)},
    "context": {"type": "context", "elements": [plain()] * 10},
    "actions": {"type": "actions", "elements": [button(action_id=f"a{n}") for n in range(25)]},
    "button": {"type": "actions", "elements": [button(text=plain("x" * 75), value="x" * 2000)]},
    "context_actions": {"type": "context_actions", "elements": [FEEDBACK]},
    "quote": rich(quotation(text("x" * 9000), border=1)),
    "styled": rich({"type": "rich_text_section", "elements": [text(style={"code": True})]}),
    "preformatted": rich({"type": "rich_text_preformatted", "elements": [text()], "border": 0}),
    "list": rich(
        {
            "type": "rich_text_list",
            "style": "bullet",
            "elements": [{"type": "rich_text_section", "elements": [text()]}],
        }
    ),
    "date": rich(
        {
            "type": "rich_text_section",
            "elements": [{"type": "date", "timestamp": 1, "format": "{date}", "fallback": "then"}],
        }
    ),
    "markdown": {"type": "markdown", "text": "x" * 12_000},
    "alert": {"type": "alert", "text": plain("x" * 200), "level": "warning"},
    "container": {"type": "container", "title": plain(), "child_blocks": [DIVIDER] * 10},
    "input": INPUT,
}
BAD = {
    "unknown block": ({"type": "headline"}, "unsupported type: headline", "/blocks/0/type"),
    "no type": ({"text": plain()}, "unsupported type: None", "/blocks/0/type"),
    "long section": (
        {"type": "section", "text": plain("x" * 3001)},
        "must be less than 3001 characters",
        "/blocks/0/text/text",
    ),
    "astral characters count twice": (
        {"type": "header", "text": plain("\U0001f600" * 76)},
        "must be less than 151 characters",
        "/blocks/0/text/text",
    ),
    "empty section": ({"type": "section"}, "missing required field: text", "/blocks/0"),
    "empty text": (
        {"type": "section", "text": plain("")},
        "must be more than 0 characters",
        "/blocks/0/text/text",
    ),
    "mrkdwn in a header": (
        {"type": "header", "text": {"type": "mrkdwn", "text": "*a*"}},
        "unsupported value: 'mrkdwn'",
        "/blocks/0/text/type",
    ),
    "emoji in mrkdwn": (
        {"type": "section", "text": {"type": "mrkdwn", "text": "a", "emoji": True}},
        "invalid additional property: emoji",
        "/blocks/0/text",
    ),
    "eleven fields": (
        {"type": "section", "fields": [plain()] * 11},
        "no more than 10 items allowed",
        "/blocks/0/fields",
    ),
    "26 buttons": (
        {"type": "actions", "elements": [button(action_id=f"a{n}") for n in range(26)]},
        "no more than 25 items allowed",
        "/blocks/0/elements",
    ),
    "no buttons": (
        {"type": "actions", "elements": []},
        "no less than 1 items allowed",
        "/blocks/0/elements",
    ),
    "long button": (
        {"type": "actions", "elements": [button(text=plain("x" * 76))]},
        "must be less than 76 characters",
        "/blocks/0/elements/0/text/text",
    ),
    "long value": (
        {"type": "actions", "elements": [button(value="x" * 2001)]},
        "must be less than 2001 characters",
        "/blocks/0/elements/0/value",
    ),
    "style of a button": (
        {"type": "actions", "elements": [button(style="loud")]},
        "unsupported value: 'loud'",
        "/blocks/0/elements/0/style",
    ),
    "same action_id twice": (
        {"type": "actions", "elements": [button(), button()]},
        "`action_id` already exists: open",
        "/blocks/0",
    ),
    "feedback among actions": (
        {"type": "actions", "elements": [FEEDBACK]},
        "unsupported type: feedback_buttons",
        "/blocks/0/elements/0/type",
    ),
    "button among context": (
        {"type": "context", "elements": [button()]},
        "unsupported type: button",
        "/blocks/0/elements/0/type",
    ),
    "empty rich text": (
        rich(quotation(text(""))),
        "must be more than 0 characters",
        "/blocks/0/elements/0/elements/0/text",
    ),
    "empty quote": (
        rich(quotation()),
        "no less than 1 items allowed",
        "/blocks/0/elements/0/elements",
    ),
    "text is no string": (
        rich(quotation({"type": "text", "text": None})),
        "must provide a string",
        "/blocks/0/elements/0/elements/0/text",
    ),
    "unknown style": (
        rich(quotation(text(style={"blink": True}))),
        "invalid additional property: blink",
        "/blocks/0/elements/0/elements/0/style",
    ),
    "quote in a quote": (
        rich(quotation(quotation(text()))),
        "unsupported type: rich_text_quote",
        "/blocks/0/elements/0/elements/0/type",
    ),
    "invented field": (
        {"type": "divider", "colour": "red"},
        "invalid additional property: colour",
        "/blocks/0",
    ),
    "long block_id": (
        {"type": "divider", "block_id": "x" * 256},
        "must be less than 256 characters",
        "/blocks/0/block_id",
    ),
    "long alert": (
        {"type": "alert", "text": plain("x" * 201)},
        "must be less than 201 characters",
        "/blocks/0/text/text",
    ),
    "eleven children": (
        {"type": "container", "title": plain(), "child_blocks": [DIVIDER] * 11},
        "no more than 10 items allowed",
        "/blocks/0/child_blocks",
    ),
}


def complaint(check, value) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        check(value)
    return caught.value.error, caught.value.more["response_metadata"]["messages"][0]


@pytest.mark.parametrize("name", GOOD)
def test_block_is_taken(name):
    """A block within all limits passes."""
    check_message_blocks([copy.deepcopy(GOOD[name])])


@pytest.mark.parametrize("name", BAD)
def test_block_is_refused(name):
    """invalid_blocks says what is wrong, and where."""
    block, message, pointer = BAD[name]
    error, said = complaint(check_message_blocks, [block])
    assert error == "invalid_blocks"
    assert said.startswith(f"[ERROR] {message}")
    assert said.endswith(f"[json-pointer:{pointer}]")


def test_fifty_blocks_are_a_message():
    """The 51st block is too many."""
    check_message_blocks([DIVIDER] * 50)
    said = complaint(check_message_blocks, [DIVIDER] * 51)[1]
    assert said == "[ERROR] no more than 50 items allowed [json-pointer:/blocks]"


def test_block_ids_are_unique():
    """Two blocks of a message can not have the same id."""
    said = complaint(check_message_blocks, [{**DIVIDER, "block_id": "a"}] * 2)[1]
    assert said == "[ERROR] block_id already exists: a [json-pointer:/blocks]"


def test_markdown_blocks_share_their_limit():
    """All markdown blocks of a message hold 12,000 characters together."""
    half = {"type": "markdown", "text": "x" * 6001}
    error, _ = complaint(check_message_blocks, [half, half])
    assert error == "invalid_blocks"


@pytest.mark.parametrize(
    "view",
    [
        MODAL,
        {**MODAL, "blocks": [INPUT], "submit": plain("Ask"), "close": plain("Cancel")},
        {**MODAL, "blocks": [DIVIDER] * 100, "private_metadata": "x" * 3000},
        {"type": "home", "blocks": [DIVIDER]},
    ],
)
def test_view_is_taken(view):
    """A view within all limits passes."""
    check_view(view)


@pytest.mark.parametrize(
    ("view", "message"),
    [
        ({"type": "modal", "blocks": []}, "missing required field: title [json-pointer:/view]"),
        (
            {**MODAL, "title": plain("x" * 25)},
            "must be less than 25 characters [json-pointer:/view/title/text]",
        ),
        ({**MODAL, "blocks": [INPUT]}, "missing required field: submit [json-pointer:/view]"),
        (
            {**MODAL, "blocks": [DIVIDER] * 101},
            "no more than 100 items allowed [json-pointer:/view/blocks]",
        ),
        (
            {**MODAL, "private_metadata": "x" * 3001},
            "must be less than 3001 characters [json-pointer:/view/private_metadata]",
        ),
        (
            {**MODAL, "blocks": [GOOD["context_actions"]]},
            "unsupported type: context_actions (block) [json-pointer:/view/blocks/0/type]",
        ),
        (
            {"type": "home", "blocks": [], "title": plain()},
            "invalid additional property: title [json-pointer:/view]",
        ),
        ({"type": "tab", "blocks": []}, "unsupported type: tab (view) [json-pointer:/view/type]"),
    ],
)
def test_view_is_refused(view, message):
    """invalid_arguments says what is wrong with a view, and where."""
    assert complaint(check_view, view) == ("invalid_arguments", f"[ERROR] {message}")
