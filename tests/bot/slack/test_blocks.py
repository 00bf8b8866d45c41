"""blocks.py: what Slack shows, for every reply."""

import json
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.slack.blocks import (
    answer_message,
    answer_messages,
    answer_quotes,
    copy_message,
    more_message,
    private_answer_message,
    quotes_in,
    shared_answer_message,
    shared_quotes_message,
)
from bot.slack.elements import size
from bot.slack.notices import changed_note
from retrieval import (
    Abstention,
    Answer,
    Article,
    Conflict,
    Finding,
    Help,
    Question,
    Quote,
    Resolved,
    Span,
    Speaker,
)

TEXT = "Rubio urged\r\n restraint,  said Bruce. :smile: <!channel> *x*\nThe end. Later.\n"
END = TEXT.index("The end.")
QUESTION = Question(text="What did Rubio urge?")
# Every key that may stand beside each type; nothing else is ever sent in a message.
ALLOWED = {
    "rich_text": {"elements"},
    "rich_text_section": {"elements"},
    "rich_text_quote": {"elements"},
    "rich_text_preformatted": {"elements"},
    "rich_text_list": {"style", "elements"},
    "text": {"text", "style"},
    "plain_text": {"text", "emoji"},
    "context": {"elements"},
    "divider": set(),
    "actions": {"elements"},
    "button": {"text", "action_id", "value"},
    "context_actions": {"elements"},
    "feedback_buttons": {"action_id", "positive_button", "negative_button"},
}
OURS = re.compile(
    r"Open article|Copy quote|\d+ more (quotes|passages)|Share with the channel"
    r"|Only you can see this\.|This helped|This did not help"
    r"|(Very likely|Probably|More likely|Perhaps) right( than not)?: first quotes like this one are"
    r" right in about \d of 10 cases\."
)


def article(text: str = TEXT, path: str = "a.txt", published: date | None = None) -> Article:
    return Article(path=path, raw=text.encode(), text=text, published=published)


def quote(of: Article, start: int, end: int, speaker: Speaker | None = None) -> Quote:
    return Quote(article=of, span=Span(start=start, end=end), speaker=speaker)


def answer(*findings: Finding, confidence: float = 0.7, resolved: str = "q") -> Answer:
    return Answer(
        question=QUESTION,
        resolved=Resolved(text=resolved),
        findings=findings,
        confidence=confidence,
        generation="g",
    )


def long_answer(length: int, count: int) -> Answer:
    """Give an answer of `count` quotes of `length` characters each."""
    return answer(
        *(
            Finding(lead=quote(article("x" * length, f"{n}.txt"), 0, length))
            for n in range(1, count + 1)
        )
    )


def elements(value):
    """Give every object with a type, however deep."""
    if isinstance(value, dict):
        if "type" in value:
            yield value
        for inner in value.values():
            yield from elements(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from elements(inner)


def labels(blocks, kind="button"):
    return [found["text"]["text"] for found in elements(blocks) if found["type"] == kind]


def visible_text(blocks) -> str:
    return "".join(found["text"] for found in elements(blocks) if found["type"] == "text")


def places(blocks) -> list[str]:
    """Give the quote id that each «Open article» carries."""
    return [
        found["value"].split(" ")[1]
        for found in elements(blocks)
        if found["type"] == "button" and found["action_id"] == "open_article"
    ]


def test_an_answer_is_the_quote_its_place_its_buttons_and_how_sure_it_is():
    """A lead stands in a quote of one plain text, and below it file, lines, day and speaker."""
    bruce = article(published=date(2025, 5, 2))
    said = quote(bruce, 0, END - 1, Speaker(article=bruce, name_span=Span(start=31, end=36)))
    message = answer_message(answer(Finding(lead=said)), answer_id="A1")
    assert list(message.blocks) == [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_quote",
                    "elements": [{"type": "text", "text": TEXT[: END - 1]}],
                },
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "text", "text": "a.txt", "style": {"code": True}},
                        {"type": "text", "text": " · lines 1–2 · 2025-05-02 · said by Bruce"},
                    ],
                },
            ],
        },
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Open article", "emoji": False},
                    "action_id": "open_article",
                    "value": f"A1 {said.id}",
                },
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "Copy quote", "emoji": False},
                    "action_id": "copy_quote",
                    "value": f"A1 {said.id}",
                },
            ],
        },
        {
            "type": "context",
            "elements": [
                {
                    "type": "plain_text",
                    "text": "Probably right: first quotes like this one are right in about 7 of 10"
                    " cases.",
                    "emoji": False,
                }
            ],
        },
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": "answer_feedback",
                    "positive_button": {
                        "text": {"type": "plain_text", "text": "This helped", "emoji": False},
                        "value": "A1 good",
                    },
                    "negative_button": {
                        "text": {"type": "plain_text", "text": "This did not help", "emoji": False},
                        "value": "A1 bad",
                    },
                }
            ],
        },
    ]
    assert message.quotes == (TEXT[: END - 1],)


def test_the_fallback_says_the_answer():
    """Notifications have the quote and its source, and nothing in it can be parsed."""
    lead = quote(article(), TEXT.index(":smile:"), END)
    message = answer_message(answer(Finding(lead=lead)), answer_id="A1")
    assert message.text == (
        "\u2060:\u2060smile: &lt;!channel&gt; \u2217x*\n\n— a.txt · line 2 · undated"
    )


def test_supporting_sources_have_a_line_each():
    """Five are named with their place, the others are counted."""
    support = tuple(quote(article(path=f"{n}.txt"), END, END + 8) for n in range(7))
    found = Finding(lead=quote(article(), END, END + 8), support=support)
    message = answer_message(answer(found), answer_id="A1")
    below = message.blocks[0]["elements"][2:]
    assert [visible_text([line]) for line in below] == [
        *(f"Also in {n}.txt · line 3 · undated" for n in range(5)),
        "Also in 2 more",
    ]
    assert message.quotes == ("The end.",)


def test_a_conflict_is_shown_with_its_own_quote():
    """Where sources differ, both quotes stand there, and what they differ in."""
    other = quote(article("Eleven.", "b.txt"), 0, 7)
    found = Finding(
        lead=quote(article(), END, END + 8), conflicts=(Conflict(kind="number", quote=other),)
    )
    message = answer_message(answer(found), answer_id="A1")
    assert message.quotes == ("The end.", "Eleven.")
    assert visible_text([message.blocks[2]["elements"][0]]) == (
        "Sources differ. This one gives another number:"
    )


def test_an_abstention_sets_the_nearest_passages_apart():
    """It says no, why and which words are unknown; passages come below a line, as no answer."""
    reply = Abstention(
        question=QUESTION,
        resolved=Resolved(text="q"),
        reason="not_stated",
        nearest=(quote(article(), END, END + 8),),
        missing=("tariffs", "<@U1>"),
        confidence=0.1,
        generation="g",
    )
    message = answer_message(reply, answer_id="A1")
    assert [block["type"] for block in message.blocks] == [
        "rich_text",
        "divider",
        "rich_text",
        "rich_text",
        "actions",
        "context_actions",
    ]
    assert visible_text(message.blocks[:1]) == (
        "The articles do not say.\nThey touch on the subject, but no passage states this.\n"
        "No article mentions: tariffs, <@U1>"
    )
    assert visible_text([message.blocks[2]]) == "The nearest passages. They are not an answer:"
    assert message.text.startswith("The articles do not say. They touch on")
    assert "They are not an answer:\nThe end.\n— a.txt" in message.text


def test_what_was_searched_instead_is_said():
    """The asker sees which words were added and which were spelled otherwise."""
    reply = Answer(
        question=QUESTION,
        resolved=Resolved(text="q", added=("Rubio",), spelled=(("Sharrif", "Sharif"),)),
        findings=(Finding(lead=quote(article(), END, END + 8)),),
        confidence=0.5,
        generation="g",
    )
    message = answer_message(reply, answer_id="A1")
    assert visible_text(message.blocks[:1]) == (
        "Searched together with: Rubio. Searched for “Sharif” instead of “Sharrif”."
    )


@pytest.mark.parametrize(
    ("confidence", "said"),
    [
        (0.0, "Perhaps right: first quotes like this one are right in about 1 of 10 cases."),
        (0.47, "Perhaps right: first quotes like this one are right in about 5 of 10 cases."),
        (
            0.58,
            (
                "More likely right than not: first quotes like this one are right in about 6 of 10"
                " cases."
            ),
        ),
        (0.71, "Probably right: first quotes like this one are right in about 7 of 10 cases."),
        (1.0, "Very likely right: first quotes like this one are right in about 9 of 10 cases."),
    ],
)
def test_confidence_is_said_in_words(confidence, said):
    """A reader is told in plain words how often such an answer is right."""
    reply = answer(Finding(lead=quote(article(), 0, 5)), confidence=confidence)
    message = answer_message(reply, answer_id="A1")
    shown = [found["text"] for found in elements(message.blocks) if found["type"] == "plain_text"]
    assert said in shown


def test_quotes_that_do_not_fit_are_left_out_whole_and_counted():
    """Of five long quotes two fit; a button shows the other three."""
    message = answer_message(long_answer(4_000, 5), answer_id="A1", shown=5)
    assert message.quotes == ("x" * 4_000, "x" * 4_000)
    more = [
        (found["text"]["text"], found["value"])
        for found in elements(message.blocks)
        if found["type"] == "button" and found["action_id"] == "more_quotes"
    ]
    assert more == [("3 more quotes", "A1 2")]


def test_a_quote_too_long_for_any_message_is_replaced_by_its_place():
    """It is never cut: file, lines and a button stand for it, and the message says why."""
    message = answer_message(long_answer(12_000, 2), answer_id="A1")
    assert message.quotes == ()
    assert visible_text([message.blocks[0]]) == (
        "This quote of 12,000 characters is too long for a message. Its article has it:"
        "1.txt · line 1 · undated"
    )
    assert labels(message.blocks) == ["Open article", "Copy quote"] * 2
    assert message.text == (
        "A quote of 12,000 characters — 1.txt · line 1 · undated\n"
        "A quote of 12,000 characters — 2.txt · line 1 · undated"
    )


def test_a_withheld_quote_is_replaced_by_its_place():
    """Where Slack altered a quote, no quote is shown rather than an altered one."""
    lead = quote(article(), END, END + 8)
    message = answer_message(answer(Finding(lead=lead)), answer_id="A1", withheld=[lead.id])
    assert message.quotes == ()
    assert visible_text([message.blocks[0]]) == (
        "Slack would not show this quote of 8 characters unchanged. Its article has it:"
        "a.txt · line 3 · undated"
    )


def test_there_is_always_less_to_post_instead():
    """After the message come one with a single quote and one with none."""
    made = answer_messages(long_answer(100, 3), answer_id="A1")
    assert [len(message.quotes) for message in made] == [3, 1, 0]


def test_a_private_answer_says_the_question_and_can_be_shared():
    """Only the asker sees it, so it bears the question and a Share button, and no thumbs."""
    message = private_answer_message(
        long_answer(100, 1), answer_id="A1", asked=" Who <!here>\nsaid it? "
    )
    assert visible_text(message.blocks[:1]) == "You asked: Who <!here> said it?"
    assert labels(message.blocks) == ["Open article", "Copy quote", "Share with the channel"]
    assert [block["type"] for block in message.blocks][-1] == "context"


def test_a_shared_answer_names_the_sharer_without_a_ping():
    """Who shared it is text."""
    message = shared_answer_message(
        long_answer(100, 1), answer_id="A1", asked="Who?", shared_by="<@U1> Ana"
    )
    assert visible_text(message.blocks[:1]) == "Who? (shared by <@U1> Ana)"
    assert message.text.startswith("Who? (shared by &lt;\u2060@\u2060U1&gt; Ana)\nx")


def test_quotes_can_be_shared_when_the_question_is_gone():
    """It is not claimed that they answer anything."""
    quotes = answer_quotes(long_answer(100, 2))
    message = shared_quotes_message(quotes, answer_id="A1", shared_by="Ana")
    assert visible_text(message.blocks[:1]) == (
        "Passages from the articles, shared by Ana. They may not answer a question."
    )
    assert message.quotes == ("x" * 100, "x" * 100)


def test_a_bare_quote_is_ready_to_be_copied():
    """The quote stands alone in a preformatted part; below it its source and receipt."""
    copied = quote(article(), 0, END)
    message = copy_message(copied)
    shown, source = message.blocks[0]["elements"]
    assert shown == {
        "type": "rich_text_preformatted",
        "elements": [{"type": "text", "text": TEXT[:END]}],
    }
    assert visible_text([source]) == f"— a.txt · lines 1–2 · undated · {copied.id}"


def test_what_slack_stored_is_read_back():
    """A text that Slack turned into something else is missing from its quote."""
    stored = [
        {
            "type": "rich_text",
            "block_id": "b1",
            "elements": [
                {
                    "type": "rich_text_quote",
                    "elements": [
                        {"type": "text", "text": "a "},
                        {"type": "emoji", "name": "rocket"},
                        {"type": "text", "text": " b"},
                    ],
                }
            ],
        },
        {"type": "divider"},
    ]
    assert quotes_in(stored) == ("a  b",)


def test_help_offers_questions():
    """A greeting is answered with what to do."""
    reply = Help(question=QUESTION, generation="g")
    message = answer_message(
        reply, answer_id="A1", prompts=[{"title": "Bruce", "message": "Who is Bruce?"}]
    )
    assert "Who is Bruce?" in visible_text(message.blocks)
    assert message.quotes == ()


# --- Whatever articles, names and questions hold ---

PIECES = st.sampled_from(
    [
        "<!channel>", "<@U1>", "<#C1|general>", "<http://evil.example|y>", "https://evil.example/x",
        ":rocket:", "*bold*", "_it_", "~no~", "`code`", "```\nx\n```", "> quoted\n", "&lt;",
        "@here", "@channel", "a@b.example", "\u202eabc\u202c", "\u2066", "\u200f", "\x00", "&amp;",
        "\r\n", "\r", "\n", "\u2028", "\x85", "\ufeff", "\u00a0", "  ", "\t", "é", "e\u0301", "😀",
        "👩\u200d🚀", '"', "\\", "“", "word ", "Yes. ", "\x1b[31m",
        "x" * 700, "😀" * 400, '"' * 300, "字" * 500,
    ]
)  # fmt: skip
SCALARS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
TEXTS = st.lists(st.one_of(PIECES, SCALARS), min_size=1, max_size=8).map("".join)
LONG = st.tuples(TEXTS, st.integers(1, 40)).map(lambda pair: pair[0] * pair[1])
# Bytes of a name that are not UTF-8 are kept as surrogates; a question may hold any surrogate.
PATHS = st.tuples(TEXTS, st.sampled_from(["", "\udce9", "\udcff.txt", "/" + "n" * 300])).map(
    lambda pair: "".join(pair).lstrip("/") or "a.txt"
)
ASKED = st.tuples(LONG, st.sampled_from(["", "\ud800", "\udfff"])).map("".join)


@st.composite
def quotations(draw):
    of = article(draw(st.one_of(TEXTS, LONG)), draw(PATHS), draw(st.none() | st.dates()))
    spans = st.tuples(st.integers(0, len(of.text) - 1), st.integers(1, len(of.text))).map(
        lambda pair: Span(start=min(pair[0], pair[1] - 1), end=max(pair[0] + 1, pair[1]))
    )
    speakers = spans.map(lambda span: Speaker(article=of, name_span=span))
    return Quote(article=of, span=draw(spans), speaker=draw(st.none() | speakers))


@st.composite
def findings(draw):
    kinds = st.sampled_from(["number", "date", "name"])
    conflicts = st.builds(Conflict, kind=kinds, quote=quotations())
    return Finding(
        lead=draw(quotations()),
        support=tuple(draw(st.lists(quotations(), max_size=2))),
        conflicts=tuple(draw(st.lists(conflicts, max_size=1))),
    )


@st.composite
def replies(draw):
    words = st.lists(ASKED, max_size=2).map(tuple)
    pairs = st.lists(st.tuples(ASKED, ASKED), max_size=1).map(tuple)
    resolved = Resolved(text="q", added=draw(words), spelled=draw(pairs))
    if draw(st.booleans()):
        return Answer(
            question=QUESTION,
            resolved=resolved,
            findings=tuple(draw(st.lists(findings(), min_size=1, max_size=3))),
            confidence=draw(st.floats(0, 1)),
            generation="g",
        )
    return Abstention(
        question=QUESTION,
        resolved=resolved,
        reason=draw(st.sampled_from(["off_topic", "no_words"])),
        nearest=tuple(draw(st.lists(quotations(), max_size=4, unique_by=lambda q: q.id))),
        missing=draw(words),
        confidence=0.0,
        generation="g",
    )


def thoroughly(examples: int):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


def check(message, quotes):
    """Hold a message against every promise that does not depend on what it is about."""
    blocks = json.loads(json.dumps(message.blocks))
    assert len(blocks) <= 50
    assert size(message.blocks) <= 10_000
    assert len(json.dumps(blocks, ensure_ascii=False).encode("utf-16-le")) // 2 <= 10_000
    for found in elements(blocks):
        assert set(found) - {"type"} <= ALLOWED[found["type"]]
        if found["type"] == "plain_text":
            assert OURS.fullmatch(found["text"])
            assert found["emoji"] is False
        if found["type"] == "rich_text_quote":
            assert all(set(text) == {"type", "text"} for text in found["elements"])
        if found["type"] == "text":
            assert 0 < len(found["text"].encode("utf-16-le")) // 2 <= 3_000
    assert quotes_in(blocks) == message.quotes
    assert set(message.quotes) <= {quote.text for quote in quotes}
    check_fallback(message.text)


def check_fallback(text):
    """No mention, link, emoji or formatting can be read into the fallback."""
    assert 0 < len(text.encode()) <= 3_000
    assert "<" not in text
    assert ">" not in text
    assert re.search(r"&(?!amp;|lt;|gt;)", text) is None
    assert re.search(r"(?m)^&gt;|`|\w://|:[^\s:\u2060]+:|(^|\W)@\w|mailto:", text) is None
    assert re.search(r"(?<!\w)([*_~])(?=\S)[^*_~\n]*\1", text) is None
    assert re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08]", text) is None


@thoroughly(300)
@given(reply=replies(), asked=ASKED, shown=st.integers(1, 4))
def test_no_text_becomes_anything_but_characters(reply, asked, shown):
    """Every message keeps its budget, shows quotes whole and exact, and only known elements."""
    quotes = answer_quotes(reply)
    for message in (
        *answer_messages(reply, answer_id="A1", shown=shown),
        private_answer_message(reply, answer_id="A1", asked=asked, shown=shown),
        shared_answer_message(reply, answer_id="A1", asked=asked, shared_by=asked, shown=shown),
        shared_quotes_message(quotes, answer_id="A1", shared_by=asked),
        *map(copy_message, quotes[:2]),
        *([changed_note([quote.article.path for quote in quotes])] if quotes else []),
    ):
        check(message, quotes)


@thoroughly(150)
@given(reply=replies())
def test_more_quotes_leads_to_every_quote_once(reply):
    """From the answer on, the buttons reach each quote of the reply in order, and end."""
    quotes = answer_quotes(reply)
    message = answer_message(reply, answer_id="A1")
    seen = places(message.blocks)
    while len(seen) < len(quotes):
        (value,) = [
            found["value"]
            for found in elements(message.blocks)
            if found["type"] == "button" and found["action_id"] == "more_quotes"
        ]
        assert value == f"A1 {len(seen)}"
        message = more_message(quotes, answer_id="A1", offset=len(seen))
        check(message, quotes)
        assert places(message.blocks)
        seen += places(message.blocks)
    assert seen == [quote.id for quote in quotes]
    assert "more" not in " ".join(labels(message.blocks))
