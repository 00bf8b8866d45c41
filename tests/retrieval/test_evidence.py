"""What speaks for a sentence."""

import pytest

from retrieval.datatypes import Question
from retrieval.evidence import EVIDENCE, evidence
from retrieval.questions import understand
from retrieval.searching import search

ARTICLE = """Mayor of Zug resigns

The mayor of Zug, Anna Keller, resigned on 3 May 2021 because of the flood.
She had 14 years in office.

Was it the flood? Keller told Meier that Zug must rebuild.

Meier told Keller that nothing is lost.
"""


@pytest.fixture(scope="module")
def zug(open_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("zug")
    (folder / "zug.txt").write_text(ARTICLE, encoding="utf-8")
    return open_folder(folder)


@pytest.fixture(scope="module")
def weigh(zug, encoder):
    """Give the evidence for the sentence that opens so, by name: `weigh(question, opening)`."""

    def of(question, opening):
        query = understand(Question(text=question), zug)
        found = search(query, encoder.encode([query.resolved.text])[0], zug)
        texts = [zug.sentences[row].text for row in found.rows]
        (place,) = [i for i, text in enumerate(texts) if text.startswith(opening)]
        row = evidence(query, found, zug)[place]
        return dict(zip(EVIDENCE, map(float, row), strict=True))

    return of


def test_every_kind_of_evidence_has_its_column(zug, encoder):
    """The table is as wide as its list of names, a row for each candidate."""
    query = understand(Question(text="Who resigned?"), zug)
    found = search(query, encoder.encode(["Who resigned?"])[0], zug)
    assert evidence(query, found, zug).shape == (len(zug.sentences), len(EVIDENCE))


@pytest.mark.parametrize(
    ("question", "opening", "kind", "expected"),
    [
        ("When did the mayor resign?", "The mayor of Zug", "kind", 1.0),
        ("When did the mayor resign?", "Meier told Keller", "kind", 0.0),
        ("How many years was she in office?", "She had 14", "kind_near", 1.0),
        ("How many years was she in office?", "Meier told Keller", "kind", 0.0),
        ("Why did the mayor resign?", "The mayor of Zug", "kind", 1.0),
        ("Who is the mayor of Zug?", "The mayor of Zug", "kind_near", 1.0),
        ("Who is the mayor of Zug?", "She had 14", "kind", 0.0),
        ("What did Keller say?", "Keller told Meier", "speech", 1.0),
        ("What did Keller say?", "She had 14", "speech", 0.0),
        ("What did Keller say?", "Keller told Meier", "subject", 1.0),
        ("Who resigned?", "Mayor of Zug resigns", "heading", 1.0),
        ("Who resigned?", "Was it the flood?", "question", 1.0),
        ("What did Keller tell Meier?", "Keller told Meier", "order", 1.0),
        ("What did Keller tell Meier?", "Meier told Keller", "order", -1.0),
        ("What did Keller tell Meier?", "Keller told Meier", "names", 1.0),
        ("Keller rebuild", "Keller told Meier", "coverage", 1.0),
        ("Keller rebuild", "The mayor of Zug", "article_coverage", 1.0),
        ("What did Keller tell Meier after the flood?", "Keller told Meier", "coverage", 1.0),
    ],
)
def test_evidence_tells_what_it_is_named_for(weigh, question, opening, kind, expected):
    """Each value can be checked by reading the sentence."""
    assert weigh(question, opening)[kind] == pytest.approx(expected)


def test_a_name_that_stands_for_another_counts_as_it(weigh):
    """«Head of the UK» is not in the article, and nothing covers it."""
    assert weigh("What did London say about Zug?", "The mayor of Zug")["coverage"] < 1.0
