"""Hits → quotes, and the proof that they are the file's own."""

import pytest

from retrieval.datatypes import Hit, Question, Quote, Span
from retrieval.questions import understand
from retrieval.quoting import Claim, find_quote, quote, verify


@pytest.fixture
def quoted(library):
    """Quote the sentence that opens so: `quoted("He appreciated")`."""

    def of(opening, question="What did he say?"):
        (sentence,) = [s for s in library.sentences if s.text.startswith(opening)]
        query = understand(Question(text=question), library)
        return quote(Hit(sentence=sentence, score=1.0), query, library)

    return of


def test_a_sentence_stands_alone_where_it_can(quoted):
    """No pronoun, no quotation: the sentence is the quote, and nobody in particular says it."""
    found = quoted("The Wagah-Attari border")
    assert found.text == "The Wagah-Attari border has also been closed."
    assert found.speaker is None


def test_a_quotation_is_never_cut_from_its_speaker(quoted):
    """The third sentence of a quotation brings the first, which says whose it is."""
    found = quoted("He also encouraged India")
    assert found.text.startswith("US state department spokesperson Tammy Bruce, meanwhile, said, “")
    assert found.text.endswith("peace and security in South Asia.”")
    assert found.speaker is not None
    assert found.speaker.name == "Tammy Bruce"


def test_a_pronoun_brings_the_sentence_it_points_back_to(quoted):
    """«He appreciated ...» means nothing without the sentence before it."""
    found = quoted("He appreciated US President")
    assert found.text.startswith("During the call, Sharif reaffirmed")


def test_the_words_that_bear_on_the_question_are_marked(quoted):
    """In other inflections too, and nowhere outside the quote."""
    found = quoted("The Wagah-Attari border", question="Which borders did they close?")
    assert [found.article.at(match) for match in found.matches] == ["border", "closed"]


def test_a_receipt_leads_back_to_its_place(library):
    """A quote's id is found in the article as it was, and not in one that has changed."""
    article = library.articles[0]
    rows = library.rows_of(article)
    span = Span(
        start=library.sentences[rows[1]].span.start, end=library.sentences[rows[3]].span.end
    )
    receipt = Quote(article=article, span=span).id
    assert find_quote(receipt, article) == span
    assert find_quote("q-00000000", article) is None


def claim(**changed):
    text = "He said no."
    fields = {
        "path": "a.txt",
        "sha256": None,
        "start": 0,
        "end": 11,
        "byte_start": 0,
        "byte_end": 11,
        "text": text,
    }
    return Claim(**(fields | changed))


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({}, ()),
        ({"text": "He said so."}, ("characters 0..11", "bytes 0..11")),
        ({"start": 1, "end": 12}, ("characters 1..12",)),
        ({"byte_start": 1, "byte_end": 12}, ("bytes 1..12",)),
        ({"sha256": "0" * 64}, ("changed since",)),
        ({"text": ""}, ("empty", "bytes 0..11")),
        ({"path": "b.txt"}, ("can not be read",)),
        ({"path": "../a.txt"}, ("can not be read",)),
    ],
)
def test_a_claim_is_compared_with_the_file(tmp_path, changed, wrong):
    """Text, places, bytes and hash are checked one by one, and what differs is named."""
    (tmp_path / "a.txt").write_bytes(b"He said no. She said yes.")
    found = verify(claim(**changed), tmp_path, limit_bytes=1_000)
    assert len(found) == len(wrong)
    assert all(part in line for part, line in zip(wrong, found, strict=True))
