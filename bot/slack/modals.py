"""Views that open over Slack: an article with a quote marked, a question, a reason. Pure."""

import re
from typing import Final

from bot.batch import Json
from bot.slack.controls import PAGE, value_of
from bot.slack.elements import (
    Block,
    Message,
    actions,
    button,
    divider,
    name,
    plain,
    rich_text,
    section,
    text,
    texts,
)
from bot.wording import day_of, lines_of
from retrieval import Article, Quote, Span

# callback_id of what is submitted
QUESTION: Final = "question"
REASON: Final = "reason"

MOST_OF_PAGE = 4_000  # code points: some two minutes of reading
_MOST_ASKED = 3_000  # what Slack lets an input hold
_LINE_END = re.compile(r"\r\n|\n|\r(?!\n)")
_REASONS = {
    "wrong": "The quotes do not answer my question",
    "missed": "The articles say more, or something else",
    "should_answer": "You say that the articles do not say, but they do",
    "attribution": "The speaker, the date or the source is wrong",
    "other": "Something else",
}


def loading_modal() -> Block:
    """Give what is opened at once, for a trigger lives three seconds, and filled afterwards."""
    return _modal("Article", rich_text(section(text("Opening the article…"))))


def searching_modal() -> Block:
    return _modal("Answer", rich_text(section(text("Searching the articles…"))))


def article_modal(quote: Quote, *, answer_id: str, page: int | None = None) -> Block:
    """Show an article page by page, the quote in bold. Joined, the pages are the article's text.

    Args:
        page: From 1; None is the page on which the quote begins.
    """
    spans = pages(quote.article)
    of_quote = next(n for n, span in enumerate(spans, start=1) if quote.span.start < span.end)
    shown = of_quote if page is None else max(1, min(page, len(spans)))
    span = spans[shown - 1]
    blocks = [_heading(quote, span, shown, len(spans)), divider(), _text(quote, span)]
    if len(spans) > 1:
        turns = {"Previous page": shown - 1, "Next page": shown + 1, "To the quote": of_quote}
        buttons = [
            # An action_id stands once in a block.
            button(label, f"{PAGE}_{number}", value_of(answer_id, quote.id, turn))
            for number, (label, turn) in enumerate(turns.items())
            if 1 <= turn <= len(spans) and turn != shown
        ]
        blocks.append(actions(*buttons))
    return _modal("Article", *blocks)


def pages(article: Article) -> tuple[Span, ...]:
    """Cut an article into pages: at the end of a line, else of a word, else anywhere."""
    spans, start = [], 0
    while len(article.text) - start > MOST_OF_PAGE:
        end = _page_end(article.text, start)
        spans.append(Span(start=start, end=end))
        start = end
    return (*spans, Span(start=start, end=len(article.text)))


def answer_modal(message: Message) -> Block:
    """Show a message as a view; thumbs are for messages alone."""
    kept = [block for block in message.blocks if block["type"] != "context_actions"]
    return _modal("Answer", *kept)


def question_modal() -> Block:
    """Ask for a question; it comes as `values["question"]["text"]["value"]`."""
    field: Block = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": _MOST_ASKED,
        "focus_on_load": True,
    }
    asked = _input("question", "What would you like to know?", field)
    return {
        **_modal("Ask the articles", asked),
        "callback_id": QUESTION,
        "submit": plain("Ask"),
        "close": plain("Cancel"),
    }


def reason_modal(answer_id: str) -> Block:
    """Ask why a reply did not help; `private_metadata` is the answer's id.

    The choice comes as `values["reason"]["choice"]["selected_option"]["value"]` (a key of
    `_REASONS`), the comment as `values["comment"]["text"]["value"]`, a string or null.
    """
    options: list[Json] = [
        {"text": plain(label), "value": value} for value, label in _REASONS.items()
    ]
    choice: Block = {"type": "radio_buttons", "action_id": "choice", "options": options}
    comment: Block = {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": _MOST_ASKED,
    }
    return {
        **_modal(
            "What was wrong?",
            _input("reason", "What was wrong with the answer?", choice),
            {**_input("comment", "What should it have been?", comment), "optional": True},
        ),
        "callback_id": REASON,
        "private_metadata": answer_id,
        "submit": plain("Send"),
        "close": plain("Cancel"),
    }


def _modal(title: str, *blocks: Block) -> Block:
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": list(blocks)}


def _input(block_id: str, label: str, element: Block) -> Block:
    return {"type": "input", "block_id": block_id, "label": plain(label), "element": element}


def _heading(quote: Quote, span: Span, shown: int, count: int) -> Block:
    article = quote.article
    first, last = article.line_range(span)
    page = f" · page {shown} of {count} (lines {first}–{last})" if count > 1 else ""
    where = f"\nThe quote ({lines_of(quote)}) is in bold."
    if not quote.span.overlaps(span):
        where = f"\nThe quote ({lines_of(quote)}) is on another page."
    return rich_text(
        section(name(article.path), text(f" · {day_of(article.published)}{page}{where}"))
    )


def _text(quote: Quote, page: Span) -> Block:
    """Show a page with what it has of the quote in bold; joined again it is the page."""
    written = quote.article.text
    start = min(max(quote.span.start, page.start), page.end)
    end = max(min(quote.span.end, page.end), start)
    return rich_text(
        section(
            *texts(written[page.start : start]),
            *texts(written[start:end], style="bold"),
            *texts(written[end : page.end]),
        )
    )


def _page_end(written: str, start: int) -> int:
    half, most = start + MOST_OF_PAGE // 2, start + MOST_OF_PAGE
    line = max((found.end() for found in _LINE_END.finditer(written, half, most)), default=0)
    word = written.rfind(" ", half, most) + 1
    return line or word or most
