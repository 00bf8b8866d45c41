"""Hits → quotes, and the proof that they are the file's own."""

import pytest

from retrieval.datatypes import Hit, Question, Quote, Span
from retrieval.questions import understand
from retrieval.quoting import (
    BESIDE,
    BESIDE_LIMIT,
    BESIDE_SURE,
    Claim,
    find_quote,
    lead_quote,
    quote,
    verify,
)


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


@pytest.fixture
def led(library):
    """Quote sentence `index` of a file as a finding leads with it: `led("003", 16, {15: -1.0})`.

    Its score is 0, those of other sentences of the file are given by their index.
    """

    def of(file, index, others, evidence=()):
        (article,) = [a for a in library.articles if a.path.startswith(file)]
        first = library.rows_of(article).start
        query = understand(Question(text="What did they do?"), library)
        hit = Hit(sentence=library.sentences[first + index], score=0.0, evidence=evidence)
        scores = {first + other: score for other, score in others.items()}
        found = lead_quote(hit, query, library, scores=scores)
        spans = library.spans_of(article)
        return found, [i for i, span in enumerate(spans) if found.span.holds(span)]

    return of


NEAR, FAR = -BESIDE + 0.01, -BESIDE - 0.01


@pytest.mark.parametrize(
    ("others", "shown"),
    [
        ({}, [16]),
        ({15: FAR, 17: FAR}, [16]),
        ({15: NEAR, 17: FAR}, [15, 16]),
        ({15: FAR, 17: NEAR}, [16, 17]),
        ({15: NEAR, 17: NEAR}, [15, 16, 17]),
        ({18: 1.0}, [16]),
        ({17: NEAR, 18: NEAR}, [16, 17, 18]),
        ({17: NEAR, 18: NEAR, 19: 1.0}, [16, 17, 18]),
    ],
)
def test_what_may_answer_as_well_is_shown_with_a_lead(led, others, shown):
    """The sentences beside it that score nearly as well, at most two, the better one first."""
    assert led("003", 16, others)[1] == shown


def test_a_lead_that_the_ranker_is_sure_of_stands_alone_sooner(led):
    """What is beside it has to answer nearly as well."""
    sure, unsure = (("ranker", 0.45),), (("ranker", 0.43),)
    assert led("003", 16, {17: NEAR}, unsure)[1] == [16, 17]
    assert led("003", 16, {17: NEAR}, sure)[1] == [16]
    assert led("003", 16, {17: -BESIDE_SURE + 0.01}, sure)[1] == [16, 17]


def test_a_lead_is_widened_only_as_far_as_it_stays_short(led):
    """The sentence before is too long, the one after is not."""
    found, shown = led("003", 15, {14: 1.0, 16: NEAR})
    assert shown == [15, 16]
    assert len(found.span) <= BESIDE_LIMIT


def test_a_headline_is_not_shown_with_a_lead(led):
    """However well it scores."""
    assert led("001", 11, {10: 1.0})[1] == [11]


def test_what_stands_apart_or_says_nothing_is_not_shown_with_a_lead(led):
    """A paragraph behind several blank lines; «Comments are closed.»."""
    assert led("002", 7, {8: 1.0})[1] == [7, 8]
    assert led("002", 8, {9: 1.0})[1] == [8]
    assert led("003", 18, {19: 1.0})[1] == [18]


def test_two_who_speak_are_shown_as_they_are_named(led):
    """Nobody is said to have said both; whoever says both is."""
    both, shown = led("000", 7, {8: 1.0})
    assert shown == [7, 8]
    assert both.speaker is None
    one, shown = led("004", 7, {6: 1.0})
    assert shown == [5, 6, 7, 8]
    assert one.speaker is not None
    assert one.speaker.name == "Jaishankar"


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
