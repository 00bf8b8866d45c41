"""terminal.py: what a person reads, in a pipe and on a terminal."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bot.terminal import (
    Line,
    copyable,
    explained,
    explained_quote,
    plain,
    renderable,
    reply_lines,
    shown_quotes,
    source_lines,
)
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

QUESTION = Question(text="What did Rubio urge?")
TEXT = (
    "Rubio urged\n restraint,  said Bruce. :smile: [bold]x[/bold] \x1b[31mred\r\nThe end. Later.\n"
)
END = TEXT.index("The end.")
PLAINLY = Resolved(text="What did Rubio urge?")


def made(text=TEXT, path="000.txt", published=date(2025, 5, 2)):
    return Article(path=path, raw=text.encode(), text=text, published=published)


def on_terminal(lines, *, width=60):
    """Render as a terminal of that width gets it, with every escape sequence."""
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=width)
    console.print(renderable(lines))
    return console.file.getvalue()


def an_answer(*findings, resolved=PLAINLY):
    return Answer(
        question=QUESTION, resolved=resolved, findings=findings, confidence=0.8, generation="g"
    )


def an_abstention(*nearest, reason="not_stated", missing=(), evidence=()):
    return Abstention(
        question=QUESTION,
        resolved=PLAINLY,
        reason=reason,
        nearest=nearest,
        missing=missing,
        confidence=0.2,
        generation="g",
        evidence=evidence,
    )


def quote_in(article, start, end, *, matches=(), speaker=None):
    spans = tuple(Span(start=a, end=b) for a, b in matches)
    return Quote(article=article, span=Span(start=start, end=end), matches=spans, speaker=speaker)


def test_a_piped_answer_is_the_quote_as_it_is_and_where_it_stands():
    """The quote keeps its own line break and spaces; file, lines, day, speaker and id follow."""
    article = made()
    speaker = Speaker(article=article, name_span=Span(start=30, end=35))
    lead = quote_in(article, 0, 36, matches=((0, 5), (6, 11)), speaker=speaker)
    assert plain(reply_lines(an_answer(Finding(lead=lead)))) == (
        " 1  Rubio urged\n restraint,  said Bruce.\n"
        f"    000.txt · lines 1–2 · 2025-05-02 · said by Bruce · {lead.id}\n"
    )


def test_nested_speech_names_both():
    """Singh's words as somebody reports them are not shown as heard by the paper."""
    article = made("The MoD said Singh told Hegseth.", published=None)
    mod = Speaker(article=article, name_span=Span(start=4, end=7))
    singh = Speaker(article=article, name_span=Span(start=13, end=18), reported_by=mod)
    lead = quote_in(article, 0, 32, speaker=singh)
    shown = plain(reply_lines(an_answer(Finding(lead=lead))))
    assert f"000.txt · line 1 · undated · said by Singh, as reported by MoD · {lead.id}" in shown


def test_support_is_one_line_per_source_and_conflicts_are_quoted():
    """Other files that agree are named; what contradicts is shown in full."""
    article, other = made(), made("He left on May 3.\n", path="001.txt", published=None)
    agreeing = made("He left on May 2.\n", path="002.txt", published=None)
    finding = Finding(
        lead=quote_in(article, END, END + 8),
        support=(quote_in(agreeing, 0, 17), quote_in(other, 0, 17)),
        conflicts=(Conflict(kind="date", quote=quote_in(other, 0, 17)),),
    )
    assert plain(reply_lines(an_answer(finding))) == (
        " 1  The end.\n"
        f"    000.txt · line 3 · 2025-05-02 · {finding.lead.id}\n"
        "    also in 002.txt · line 1 · undated\n"
        "    Sources differ: 001.txt · line 1 · undated gives another day:\n"
        "    He left on May 3.\n"
        f"    001.txt · line 1 · undated · {finding.support[1].id}\n"
    )


def test_words_that_were_added_or_spelled_otherwise_are_said():
    """The asker sees what was searched."""
    resolved = Resolved(
        text="x", added=("Rubio", "Jaishankar"), spelled=(("Jaishanker", "Jaishankar"),)
    )
    shown = plain(
        reply_lines(an_answer(Finding(lead=quote_in(made(), END, END + 8)), resolved=resolved))
    )
    assert shown.splitlines()[:3] == [
        "searched together with: Rubio, Jaishankar",
        "searched for “Jaishankar” instead of “Jaishanker”",
        "",
    ]


def test_an_abstention_says_so_first_and_labels_the_nearest():
    """Nobody can take the nearest passages for an answer."""
    near = quote_in(made(), END, END + 8)
    reply = an_abstention(near, reason="unknown_name", missing=("Macron", "Paris"))
    assert plain(reply_lines(reply)) == (
        "The articles do not say.\n"
        "You name somebody or something that none of them mentions.\n"
        "No article mentions: Macron, Paris\n"
        "\n"
        "The nearest passages. They are not an answer:\n"
        " 1  The end.\n"
        f"    000.txt · line 3 · 2025-05-02 · {near.id}\n"
    )


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("off_topic", "Nothing in them is about this."),
        ("not_stated", "They touch on the subject, but no passage states this."),
        ("outside_dates", "None of them was published in the time that you ask about."),
        ("unknown_name", "You name somebody or something that none of them mentions."),
        ("no_words", "There is no word in the question that could be searched for."),
    ],
)
def test_every_reason_has_its_sentence(reason, words):
    """A reason is words, not a code."""
    assert (
        plain(reply_lines(an_abstention(reason=reason))) == f"The articles do not say.\n{words}\n"
    )


def test_help_shows_questions_to_ask():
    """Smalltalk gets usage, not quotes."""
    shown = plain(reply_lines(Help(question=QUESTION, generation="g")))
    assert "    What did Rubio urge Pakistan to do?\n" in shown


def test_matches_are_highlighted_on_a_terminal_and_nothing_else():
    """The two words that matched are bold and underlined, the words around them are not."""
    lead = quote_in(made(), 0, 36, matches=((0, 5), (6, 11)))
    shown = on_terminal(reply_lines(an_answer(Finding(lead=lead))))
    assert "\x1b[1;4mRubio\x1b[0m \x1b[1;4murged\x1b[0m" in shown
    assert shown.count("\x1b[1;4m") == 2


def test_markup_emoji_codes_and_escape_sequences_are_characters():
    """What an article holds can neither colour the terminal nor vanish from it."""
    shown = on_terminal(reply_lines(an_answer(Finding(lead=quote_in(made(), 37, END + 8)))))
    assert ":smile: [bold]x[/bold] \\x1b[31mred" in shown
    assert "\x1b[31m" not in shown
    assert "shown as escapes" in shown


def test_a_quote_without_controls_has_no_note():
    """The note about escapes is only for texts that have some; CRLF is a line break."""
    text = "One line.\r\nAnother line.\r\n"
    shown = on_terminal(reply_lines(an_answer(Finding(lead=quote_in(made(text), 0, 24)))))
    assert "escapes" not in shown
    assert "\\r" not in shown


def test_a_pipe_gets_controls_as_they_are():
    """Piped output is exact: the escape sequence of the file is there."""
    shown = plain(reply_lines(an_answer(Finding(lead=quote_in(made(), 37, END + 8)))))
    assert TEXT[37 : END + 8] in shown


def test_names_of_files_are_shown_on_one_line_everywhere():
    """A name can not break the line or carry a sequence, in a pipe neither."""
    article = Article(path="a\n\x1b[1m\udce9.txt", raw=b"Hello.", text="Hello.")
    shown = plain(reply_lines(an_answer(Finding(lead=quote_in(article, 0, 6)))))
    assert "\n    a\\n\\x1b[1m\\xe9.txt · line 1 · undated" in shown


def test_explained_has_a_column_for_each_quote():
    """Scores stand in rows, quotes in columns, by their numbers; a missing score is blank."""
    article = made()
    one = Finding(lead=quote_in(article, 0, 36), score=2.5, evidence=(("dense", 0.5), ("bm25", 1)))
    two = Finding(lead=quote_in(article, END, END + 8), score=1.25, evidence=(("dense", 0.25),))
    assert plain(explained(an_answer(one, two))) == (
        "Confidence that the first quote answers: 0.800\n"
        "           [1]      [2]\n"
        "score    2.500    1.250\n"
        "dense    0.500    0.250\n"
        "bm25     1.000         \n"
    )


def test_why_shows_the_scores_of_one_quote():
    """The second of the nearest passages has its own column."""
    near = quote_in(made(), END, END + 8)
    reply = an_abstention(near, near, evidence=((("dense", 0.5),), (("dense", 0.25),)))
    assert plain(explained_quote(reply, 2)) == "           [1]\ndense    0.250\n"


def test_quotes_are_numbered_as_they_are_shown():
    """Leads of an answer, nearest of an abstention, none of help."""
    one, two = quote_in(made(), 0, 36), quote_in(made(), END, END + 8)
    assert shown_quotes(an_answer(Finding(lead=one, support=(two,)), Finding(lead=two))) == (
        one, two
    )  # fmt: skip
    assert shown_quotes(an_abstention(two, one)) == (two, one)
    assert shown_quotes(Help(question=QUESTION, generation="g")) == ()


def test_copyable_is_the_bare_quote_and_its_place():
    """Nothing stands before the quote."""
    quote = quote_in(made(), END, END + 8)
    assert plain(copyable(quote)) == (f"The end.\n— 000.txt · line 3 · 2025-05-02 · {quote.id}\n")


def test_sources_have_their_day_or_say_that_they_have_none():
    """One line per article: day, file, headline."""
    dated = Article(
        path="0.txt", raw=b"Head\nBody", text="Head\nBody", title=Span(start=0, end=4),
        published=date(2025, 5, 2),
    )  # fmt: skip
    shown = plain(source_lines([dated, made(path="1.txt", published=None)]))
    assert shown == "2025-05-02  0.txt  Head\nundated     1.txt  \n"


@st.composite
def quotes(draw):
    text = draw(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, len(text)))
    cuts = sorted(draw(st.sets(st.integers(start, end), max_size=6)))
    matches = tuple(zip(cuts[::2], cuts[1::2], strict=False))
    return quote_in(made(text), start, end, matches=matches)


@given(quotes())
def test_a_piped_quote_is_always_the_text_of_its_file(quote):
    """Whatever the text and wherever the matches: exactly the quote, exactly there."""
    shown = plain(reply_lines(an_answer(Finding(lead=quote))))
    assert shown == f" 1  {quote.text}\n    000.txt" + shown.rpartition("\n    000.txt")[2]


@given(quotes())
def test_a_terminal_never_gets_a_control_of_the_text(quote):
    """Behind the margin there are our own styles only."""
    shown = on_terminal([Line(pieces=((quote.text, ""),))])
    ours = shown.replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert not set(ours) & {"\x1b", "\x9b", "\x07", "\u202e"}
