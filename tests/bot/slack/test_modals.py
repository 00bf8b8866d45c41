"""modals.py: an article with its quote marked, and the forms."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.blocks import answer_message, quotes_in
from bot.slack.modals import (
    MOST_OF_PAGE,
    answer_modal,
    article_modal,
    loading_modal,
    pages,
    question_modal,
    reason_modal,
    searching_modal,
)
from retrieval import Answer, Article, Finding, Question, Quote, Resolved, Span

TEXT = "First line.\r\nThe end. <!channel> *x*\n"


def quote_of(text: str, start: int, end: int) -> Quote:
    article = Article(path="a.txt", raw=text.encode(), text=text)
    return Quote(article=article, span=Span(start=start, end=end))


def page_elements(view) -> list:
    """Give the text elements of the page itself: what stands below the divider."""
    kinds = [block["type"] for block in view["blocks"]]
    return view["blocks"][kinds.index("divider") + 1]["elements"][0]["elements"]


def buttons(view) -> dict[str, str]:
    return {
        button["text"]["text"]: button["value"]
        for block in view["blocks"]
        if block["type"] == "actions"
        for button in block["elements"]
    }


def heading(view) -> str:
    return "".join(each["text"] for each in view["blocks"][0]["elements"][0]["elements"])


def test_an_article_is_shown_with_its_quote_in_bold():
    """Nothing but the style tells the quote from its surroundings."""
    start = TEXT.index("The end.")
    view = article_modal(quote_of(TEXT, start, start + 8), answer_id="A1")
    assert page_elements(view) == [
        {"type": "text", "text": "First line.\r\n"},
        {"type": "text", "text": "The end.", "style": {"bold": True}},
        {"type": "text", "text": " <!channel> *x*\n"},
    ]
    assert heading(view) == "a.txt · undated\nThe quote (line 2) is in bold."
    assert buttons(view) == {}


def test_a_long_article_opens_on_the_page_of_its_quote():
    """One can turn back and forth, and finds the quote again."""
    text = "word " * 2_000 + "the quote"
    quote = quote_of(text, 10_000, 10_009)
    view = article_modal(quote, answer_id="A1")
    assert heading(view) == (
        "a.txt · undated · page 3 of 3 (lines 1–1)\nThe quote (line 1) is in bold."
    )
    assert buttons(view) == {"Previous page": f"A1 {quote.id} 2"}
    before = article_modal(quote, answer_id="A1", page=2)
    assert "is on another page." in heading(before)
    assert buttons(before) == {
        "Previous page": f"A1 {quote.id} 1",
        "Next page": f"A1 {quote.id} 3",
        "To the quote": f"A1 {quote.id} 3",
    }


def test_a_page_that_is_not_there_is_the_nearest_one():
    """Page 99 of an article of one page is that page."""
    quote = quote_of(TEXT, 0, 5)
    assert article_modal(quote, answer_id="A1", page=99) == article_modal(quote, answer_id="A1")


def test_pages_end_where_lines_end():
    """A line is not torn where the page can end before it."""
    lines = "a" * 1_499 + "\n"
    article = quote_of(lines * 4, 0, 1).article
    assert pages(article) == (Span(start=0, end=3_000), Span(start=3_000, end=6_000))


LINES = st.sampled_from(["\r\n", "\r", "\n", " ", "word ", "x" * 1_999, "字" * 2_000, "😀" * 1_500])
TEXTS = st.lists(st.one_of(LINES, st.text(st.characters(exclude_categories=["Cs"]), min_size=1)))


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=TEXTS.map("".join).filter(bool), data=st.data())
def test_the_pages_are_the_article(text, data):
    """Joined, the pages are the text, what is bold is the quote, and every view is small enough."""
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = quote_of(text, start, end)
    spans = pages(quote.article)
    views = [article_modal(quote, answer_id="A1", page=n + 1) for n in range(len(spans))]
    shown = [each for view in views for each in page_elements(json.loads(json.dumps(view)))]
    assert "".join(each["text"] for each in shown) == text
    assert "".join(each["text"] for each in shown if "style" in each) == quote.text
    assert all(len(span) <= MOST_OF_PAGE for span in spans)
    assert all(len(json.dumps(view)) < 250_000 for view in views)
    cuts = [span.end for span in spans[:-1]]
    assert not any(text[cut - 1 : cut + 1] == "\r\n" for cut in cuts)


def test_an_answer_in_a_modal_has_no_thumbs():
    """Slack takes feedback buttons in messages alone; the quotes are the same."""
    reply = Answer(
        question=Question(text="q"),
        resolved=Resolved(text="q"),
        findings=(Finding(lead=quote_of(TEXT, 0, 5)),),
        confidence=0.7,
        generation="g",
    )
    message = answer_message(reply, answer_id="A1")
    view = answer_modal(message)
    assert quotes_in(view["blocks"]) == message.quotes
    kinds = [block["type"] for block in view["blocks"]]
    assert kinds == ["rich_text", "actions", "context"]


def test_the_forms_say_where_their_values_come_back():
    """A question comes back by its ids; a reason knows its answer."""
    asked, why = question_modal(), reason_modal("A1")
    assert asked["callback_id"] == "question"
    assert [(b["block_id"], b["element"]["action_id"]) for b in asked["blocks"]] == [
        ("question", "text")
    ]
    assert (why["callback_id"], why["private_metadata"]) == ("reason", "A1")
    assert [(b["block_id"], b["element"]["action_id"]) for b in why["blocks"]] == [
        ("reason", "choice"),
        ("comment", "text"),
    ]
    assert why["blocks"][1]["optional"] is True


def test_titles_keep_to_what_slack_takes():
    """No title or button of a view is longer than 24 characters."""
    quote = quote_of(TEXT, 0, 5)
    views = [
        loading_modal(),
        searching_modal(),
        article_modal(quote, answer_id="A1"),
        question_modal(),
        reason_modal("A1"),
    ]
    said = [
        view[part]["text"]
        for view in views
        for part in ("title", "close", "submit")
        if part in view
    ]
    assert max(map(len, said)) <= 24
