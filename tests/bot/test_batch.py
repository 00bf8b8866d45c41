"""batch.py: the contract with tools outside the project."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.batch import BatchError, answer_object, read_question, read_stated, to_line, to_page
from retrieval import (
    Abstention,
    Answer,
    Conflict,
    Finding,
    Help,
    Question,
    Quote,
    Resolved,
    Span,
    Speaker,
)

RAW = "Singh said: “Zero tolerance — now.”\r\nNothing else.\n".encode()


def quote_in(article, start, end, **more):
    return Quote(article=article, span=Span(start=start, end=end), **more)


def test_a_line_gives_a_question_with_its_thread_and_day():
    """`context` and `today` reach the question; keys that are not ours are passed over."""
    line = (
        b'{"id": "s1", "question": "And Sharif?", "context": ["Who is Rubio?"],'
        b' "today": "2025-05-02", "gold": []}'
    )
    asked = read_question(line, number=1)
    assert asked is not None
    assert asked.id == "s1"
    assert asked.question == Question(
        text="And Sharif?", context=("Who is Rubio?",), today=date(2025, 5, 2)
    )


def test_an_id_may_be_a_number_and_a_first_line_may_bear_a_bom():
    """What other tools write is read as they meant it."""
    asked = read_question(b'\xef\xbb\xbf{"id": 7, "question": "Who?"}\r\n', number=1)
    assert asked is not None
    assert asked.id == 7


def test_a_blank_line_is_no_question():
    """A line feed at the end of the file is not an error."""
    assert read_question(b" \r\n", number=3) is None


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b'{"id": "a", "question": ', "line 4: not JSON (Expecting value, column 25)"),
        (b"\xff", "line 4: not UTF-8 at byte 0"),
        (b"[1]", 'line 4: not a JSON object such as {"id": "1", "question": "…"}'),
        (b'{"question": "Who?"}', "line 4: «id» is missing, or not a string or a whole number"),
        (b'{"id": "a"}', "line 4: «question» is missing, or not a string"),
        (
            b'{"id": "a", "question": "b", "context": "c"}',
            "line 4: «context» is not a list of strings",
        ),
        (
            b'{"id": "a", "question": "b", "today": "May 2"}',
            "line 4: «today» is not a day such as 2025-05-02",
        ),
        (b"[" * 100_000, "line 4: JSON that is nested too deep or has a huge number"),
    ],
)
def test_a_bad_line_is_named_with_what_is_wrong(line, message):
    """The message has the number of the line and what to mend."""
    with pytest.raises(BatchError) as caught:
        read_question(line, number=4)
    assert str(caught.value) == message


def test_an_answer_is_written_with_every_place(article_of):
    """Characters, bytes and lines of the quote, its speaker, and the quotes around it."""
    article = article_of(RAW, name="000.txt")
    lead = quote_in(
        article, 0, 35, speaker=Speaker(article=article, name_span=Span(start=0, end=5))
    )
    other = quote_in(article, 37, 50)
    finding = Finding(lead=lead, support=(other,), conflicts=(Conflict(kind="date", quote=other),))
    question = Question(text="What did he say?", context=("Who is Singh?",))
    reply = Answer(
        question=question,
        resolved=Resolved(text="What did he say? Singh", added=("Singh",)),
        findings=(finding,),
        confidence=0.75,
        generation="abc123",
    )
    written = json.loads(to_line(answer_object("s1", question, reply, seconds=0.0123456789)))
    lead_object = {
        "id": lead.id,
        "path": "000.txt",
        "sha256": article.digest,
        "start": 0,
        "end": 35,
        "byte_start": 0,
        "byte_end": 41,
        "line_start": 1,
        "line_end": 1,
        "text": "Singh said: “Zero tolerance — now.”",
        "published": None,
        "speaker": "Singh",
    }
    other_object = {
        "id": other.id,
        "path": "000.txt",
        "sha256": article.digest,
        "start": 37,
        "end": 50,
        "byte_start": 43,
        "byte_end": 56,
        "line_start": 2,
        "line_end": 2,
        "text": "Nothing else.",
        "published": None,
        "speaker": None,
    }
    assert written == {
        "id": "s1",
        "question": "What did he say?",
        "resolved": "What did he say? Singh",
        "outcome": "answer",
        "reason": None,
        "confidence": 0.75,
        "generation": "abc123",
        "seconds": 0.012346,
        "findings": [
            {
                "lead": lead_object,
                "support": [other_object],
                "conflicts": [{"kind": "date", "quote": other_object}],
            }
        ],
        "nearest": [],
    }


def test_an_abstention_is_written_with_its_reason_and_the_nearest(article_of):
    """No findings; the nearest passages stand apart."""
    article = article_of(RAW)
    question = Question(text="What of Macron?")
    reply = Abstention(
        question=question,
        resolved=Resolved(text="What of Macron?"),
        reason="unknown_name",
        nearest=(quote_in(article, 37, 50),),
        missing=("Macron",),
        confidence=0.1,
        generation="g",
    )
    written = json.loads(to_line(answer_object(7, question, reply, seconds=0)))
    assert written["id"] == 7
    assert (written["outcome"], written["reason"]) == ("abstention", "unknown_name")
    assert written["findings"] == []
    assert [near["text"] for near in written["nearest"]] == ["Nothing else."]


def test_help_is_written_without_quotes():
    """Smalltalk has an outcome of its own."""
    question = Question(text="hello")
    written = json.loads(
        to_line(answer_object("h", question, Help(question=question, generation="g"), seconds=0))
    )
    assert written == {
        "id": "h",
        "question": "hello",
        "resolved": "hello",
        "outcome": "help",
        "reason": None,
        "confidence": 0.0,
        "generation": "g",
        "seconds": 0,
        "findings": [],
        "nearest": [],
    }


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]))
    | st.text(alphabet="\x1b\x9b\u202e\u2028\udce9\U000e0041“a")
)
def test_json_says_the_same_and_acts_on_no_terminal(text):
    """Any text, and any name of a file, comes back as it was, and holds no control."""
    for written in (to_line({"text": text}), to_page({"text": text})):
        assert json.loads(written.encode("utf-8")) == {"text": text}
        assert not {"\x1b", "\x9b", "\u202e", "\u2028"} & set(written)


def written_answer(article):
    question = Question(text="What else?")
    reply = Abstention(
        question=question,
        resolved=Resolved(text="What else?"),
        reason="not_stated",
        nearest=(quote_in(article, 37, 50),),
        missing=(),
        confidence=0.1,
        generation="g",
    )
    return answer_object("1", question, reply, seconds=0)


def test_claims_are_read_from_lines_and_from_one_indented_object(article_of):
    """What `--batch` and what `--json` write can be verified alike."""
    article = article_of(RAW)
    value = written_answer(article)
    lines = read_stated((to_line(value) + "\n" + to_line(value)).encode())
    page = read_stated(to_page(value).encode())
    assert lines == (*page, *page)
    claim = page[0].claim
    assert (page[0].id, claim.path, claim.start, claim.end) == (
        quote_in(article, 37, 50).id, "a.txt", 37, 50
    )  # fmt: skip
    assert (claim.byte_start, claim.byte_end, claim.text) == (43, 56, "Nothing else.")
    assert claim.sha256 == article.digest


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"id": "1"}', "line 1: no «findings» and no «nearest»: not an answer of clippings"),
        (b'\n{"nearest": [{"path": "a"}]}\n[]', "line 2: a quote without its «path» or «text»"),
        (
            b'{"nearest": [{"path": "a", "text": "b", "start": "0", "end": 1}]}',
            "line 1: a quote whose «start» is not a whole number",
        ),
        (b'{"findings": [3]}', "line 1: an object was expected where a quote stands"),
    ],
)
def test_a_file_that_is_no_file_of_answers_is_refused(data, message):
    """Verifying the wrong file says so instead of passing it."""
    with pytest.raises(BatchError) as caught:
        read_stated(data)
    assert str(caught.value) == message
