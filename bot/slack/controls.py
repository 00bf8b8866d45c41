"""What buttons and views are called, and what they carry: ids alone, never a text."""

from typing import Final

from bot.slack.elements import Block, button, plain

# action_id; each value is an answer's id and, after a space, what it is about.
OPEN: Final = "open_article"  # the id of a quote
COPY: Final = "copy_quote"  # the id of a quote
MORE: Final = "more_quotes"  # how many quotes were shown before
SHARE: Final = "share_answer"  # nothing
FEEDBACK: Final = "answer_feedback"  # GOOD or BAD
PAGE: Final = "article_page"  # the id of a quote, a space, the page from 1
POLICY: Final = "channel_policy"  # no value: `selected_conversations`
GOOD: Final = "good"
BAD: Final = "bad"


def value_of(answer_id: str, *about: str | int) -> str:
    return " ".join([answer_id, *map(str, about)])


def read_value(value: str) -> tuple[str, ...]:
    """Give the answer's id and what the button is about."""
    return tuple(value.split(" "))


def open_button(answer_id: str, quote_id: str) -> Block:
    return button("Open article", OPEN, value_of(answer_id, quote_id))


def copy_button(answer_id: str, quote_id: str) -> Block:
    return button("Copy quote", COPY, value_of(answer_id, quote_id))


def feedback(answer_id: str) -> Block:
    """Ask whether the reply helped, with Slack's own thumbs."""

    def thumb(label: str, which: str) -> Block:
        return {"text": plain(label), "value": value_of(answer_id, which)}

    thumbs: Block = {
        "type": "feedback_buttons",
        "action_id": FEEDBACK,
        "positive_button": thumb("This helped", GOOD),
        "negative_button": thumb("This did not help", BAD),
    }
    return {"type": "context_actions", "elements": [thumbs]}
