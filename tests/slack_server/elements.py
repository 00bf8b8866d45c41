"""The elements of Block Kit: texts, buttons, inputs, and what rich text is made of.

Limits: docs.slack.dev/reference/block-kit, slack_sdk's models, and section 1.4 of the project's
Slack reference. An element that is not here is refused; Slack may know more.
"""

from typing import Final

from .schema import Spec, anything, boolean, by_type, list_of, one_of, record, string, whole

ID: Final = string(most=255)
URL: Final = string(most=3000)


def plain(most: int) -> Spec:
    return record({"type": one_of("plain_text"), "text": string(most=most)}, {"emoji": boolean})


def any_text(most: int) -> Spec:
    mrkdwn = record({"type": one_of("mrkdwn"), "text": string(most=most)}, {"verbatim": boolean})
    return by_type("text", {"plain_text": plain(most), "mrkdwn": mrkdwn})


def _typed(
    kind: str, required: dict[str, Spec] | None = None, optional: dict[str, Spec] | None = None
) -> Spec:
    return record({"type": one_of(kind), **(required or {})}, optional)


STYLE: Final = one_of("primary", "danger")
CONFIRM: Final = record(
    {"title": plain(100), "text": any_text(300), "confirm": plain(30), "deny": plain(30)},
    {"style": STYLE},
)
OPTION: Final = record(
    {"text": any_text(75), "value": string(most=150)},
    {"description": any_text(75), "url": URL},
)
BUTTON: Final = _typed(
    "button",
    {"text": plain(75)},
    {
        "action_id": ID,
        "value": string(most=2000),
        "url": URL,
        "style": STYLE,
        "confirm": CONFIRM,
        "accessibility_label": string(most=75),
        "visible_to_user_ids": list_of(string(most=20), most=100),
    },
)
_FEEDBACK_BUTTON: Final = record(
    {"text": plain(75), "value": string(most=2000)}, {"accessibility_label": string(most=75)}
)
FEEDBACK_BUTTONS: Final = _typed(
    "feedback_buttons",
    {"positive_button": _FEEDBACK_BUTTON, "negative_button": _FEEDBACK_BUTTON},
    {"action_id": ID},
)
ICON_BUTTON: Final = _typed(
    "icon_button",
    {"icon": one_of("trash"), "text": plain(75)},
    {
        "action_id": ID,
        "value": string(most=2000),
        "confirm": CONFIRM,
        "accessibility_label": string(most=75),
        "visible_to_user_ids": list_of(string(most=20), most=100),
    },
)
IMAGE: Final = _typed("image", {"image_url": URL, "alt_text": string(most=2000)})
OVERFLOW: Final = _typed(
    "overflow", {"options": list_of(OPTION, most=5)}, {"action_id": ID, "confirm": CONFIRM}
)
_CHOICE: Final[dict[str, Spec]] = {
    "action_id": ID,
    "confirm": CONFIRM,
    "focus_on_load": boolean,
    "placeholder": plain(150),
}
_FEW: Final[dict[str, Spec]] = {"action_id": ID, "confirm": CONFIRM, "focus_on_load": boolean}
_USER_IDS: Final = list_of(string(most=20), most=1000)
SELECTS: Final[dict[str, Spec]] = {
    "static_select": _typed(
        "static_select",
        {"options": list_of(OPTION, most=100)},
        {**_CHOICE, "initial_option": OPTION},
    ),
    "radio_buttons": _typed(
        "radio_buttons", {"options": list_of(OPTION, most=10)}, {**_FEW, "initial_option": OPTION}
    ),
    "checkboxes": _typed(
        "checkboxes",
        {"options": list_of(OPTION, most=10)},
        {**_FEW, "initial_options": list_of(OPTION, most=10)},
    ),
    "users_select": _typed("users_select", {}, {**_CHOICE, "initial_user": ID}),
    "conversations_select": _typed(
        "conversations_select",
        {},
        {
            **_CHOICE,
            "initial_conversation": ID,
            "default_to_current_conversation": boolean,
            "response_url_enabled": boolean,
            "filter": anything,
        },
    ),
    "multi_conversations_select": _typed(
        "multi_conversations_select",
        {},
        {
            **_CHOICE,
            "initial_conversations": _USER_IDS,
            "default_to_current_conversation": boolean,
            "max_selected_items": whole(least=1),
            "filter": anything,
        },
    ),
}
INPUTS: Final[dict[str, Spec]] = {
    **SELECTS,
    "plain_text_input": _typed(
        "plain_text_input",
        {},
        {
            "action_id": ID,
            "placeholder": plain(150),
            "initial_value": string(most=3000, least=0),
            "multiline": boolean,
            "min_length": whole(most=3000),
            "max_length": whole(least=1, most=3000),
            "focus_on_load": boolean,
            "dispatch_action_config": anything,
        },
    ),
}
ACTIONS: Final = {"button": BUTTON, "overflow": OVERFLOW, **SELECTS}

_STYLE_OF_TEXT: Final = record(
    {}, {"bold": boolean, "italic": boolean, "strike": boolean, "code": boolean}
)
_STYLED: Final[dict[str, Spec]] = {"style": _STYLE_OF_TEXT}
# No limit of one text is documented; the message's own holds.
_ANY_LENGTH: Final = 100_000
RICH: Final[dict[str, Spec]] = {
    "text": _typed("text", {"text": string(most=_ANY_LENGTH)}, _STYLED),
    "link": _typed(
        "link", {"url": URL}, {**_STYLED, "text": string(most=_ANY_LENGTH), "unsafe": boolean}
    ),
    "emoji": _typed("emoji", {"name": ID}, {**_STYLED, "unicode": ID, "skin_tone": whole()}),
    "user": _typed("user", {"user_id": ID}, _STYLED),
    "channel": _typed("channel", {"channel_id": ID}, _STYLED),
    "usergroup": _typed("usergroup", {"usergroup_id": ID}, _STYLED),
    "broadcast": _typed("broadcast", {"range": one_of("here", "channel", "everyone")}),
    "date": _typed(
        "date",
        {"timestamp": whole(), "format": string(most=300)},
        {**_STYLED, "url": URL, "fallback": string(most=300)},
    ),
}
_ELEMENTS: Final = list_of(by_type("rich text element", RICH), most=1000)
_LITERAL: Final = list_of(
    by_type("preformatted element", {kind: RICH[kind] for kind in ("text", "link")}), most=1000
)
_SECTION: Final = _typed("rich_text_section", {"elements": _ELEMENTS})
RICH_PARTS: Final[dict[str, Spec]] = {
    "rich_text_section": _SECTION,
    "rich_text_quote": _typed("rich_text_quote", {"elements": _ELEMENTS}, {"border": one_of(0, 1)}),
    "rich_text_preformatted": _typed(
        "rich_text_preformatted",
        {"elements": _LITERAL},
        {"border": one_of(0, 1), "language": string(most=100)},
    ),
    "rich_text_list": _typed(
        "rich_text_list",
        {
            "style": one_of("bullet", "ordered"),
            "elements": list_of(by_type("list item", {"rich_text_section": _SECTION}), most=1000),
        },
        {"indent": whole(most=8), "offset": whole(), "border": one_of(0, 1)},
    ),
}
