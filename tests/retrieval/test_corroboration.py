"""Quotes → findings."""

from retrieval.corroboration import find
from retrieval.datatypes import Hit, Quote, Span


def alone(hit):
    return Quote(article=hit.sentence.article, span=hit.sentence.span)


def findings_of(openings, library, *, limit=3, told=(), lead=alone):
    sentences = [
        next(s for s in library.sentences if s.text.startswith(opening)) for opening in openings
    ]
    hits = [Hit(sentence=s, score=10.0 - i) for i, s in enumerate(sentences)]
    return find(hits, list(map(alone, hits)), library, limit=limit, lead=lead, told=told)


ENCOURAGED = ("Rubio encouraged India to collaborate", "During the discussion, Secretary Rubio")
CLOSED = "The Wagah-Attari border"


def test_the_same_fact_from_two_files_is_one_finding(library):
    """The better quote leads, the other file supports it, and another fact stands apart."""
    found = findings_of((*ENCOURAGED, CLOSED), library)
    assert [finding.lead.text[:25] for finding in found] == [
        "Rubio encouraged India to",
        "The Wagah-Attari border h",
    ]
    assert [quote.article.path for quote in found[0].support] == ["002_e34cd0f6c764ac82.txt"]


def test_a_file_does_not_support_itself(library):
    """Two sentences of one file that say the same are one source."""
    found = findings_of(
        (ENCOURAGED[0], "Rubio also encouraged the Pakistani Prime Minister"), library
    )
    assert all(finding.support == () for finding in found)


def test_the_same_short_answer_from_two_files_is_one_finding(library):
    """Two sentences about other things give the same number, where a number was asked for."""
    openings = (CLOSED, "The calls came after", ENCOURAGED[1])
    told = (frozenset({"26"}), frozenset(), frozenset({"26", "13"}))
    found = findings_of(openings, library, told=told)
    assert [finding.lead.article.path[:3] for finding in found] == ["003", "004"]
    assert [[quote.article.path[:3] for quote in each.support] for each in found] == [["002"], []]


def test_no_more_findings_than_wanted(library):
    """What comes after the limit can still support what came before."""
    found = findings_of((ENCOURAGED[0], CLOSED, ENCOURAGED[1]), library, limit=1)
    assert len(found) == 1
    assert len(found[0].support) == 1


def test_a_quote_within_another_is_not_shown_twice(library):
    """Two hits that were widened to the same sentences are one finding."""
    assert len(findings_of((CLOSED, CLOSED), library)) == 1


def whole_article(hit):
    article = hit.sentence.article
    return Quote(article=article, span=Span(start=0, end=len(article.text)))


def test_a_finding_leads_with_more_than_its_sentence(library):
    """What supports it is quoted alone."""
    (found,) = findings_of(ENCOURAGED, library, lead=whole_article)
    assert found.lead.text == found.lead.article.text
    assert [quote.text[:24] for quote in found.support] == ["During the discussion, S"]


def test_what_a_lead_was_widened_to_is_no_further_finding(library):
    """Another sentence of the article that it quotes."""
    found = findings_of((ENCOURAGED[0], CLOSED), library, lead=whole_article)
    assert [finding.lead.article.path[:3] for finding in found] == ["003"]


def test_a_lead_is_not_widened_into_what_is_shown(library):
    """The second finding is of the same article as what supports the first."""
    openings = (ENCOURAGED[0], ENCOURAGED[1], "Pakistan, for its part, has denied")
    one, other = findings_of(openings, library, lead=whole_article)
    assert [quote.article.path[:3] for quote in one.support] == ["002"]
    assert other.lead.text.startswith("Pakistan, for its part, has denied")


def test_a_source_with_another_day_is_marked(library):
    """002 has the call on Thursday where 003 has it on Wednesday: both are shown, and marked."""
    (found,) = findings_of(
        ("US Secretary of State Marco Rubio engaged", "US Secretary of State Marco Rubio held"),
        library,
    )
    assert [(each.kind, each.quote.article.path[:3]) for each in found.conflicts] == [
        ("date", "002")
    ]
    assert [each.quote for each in found.conflicts] == list(found.support)


def test_sources_that_agree_are_not_marked(library):
    """The same report in other words contradicts nothing."""
    found = findings_of(ENCOURAGED, library)
    assert [finding.conflicts for finding in found] == [()]


def test_sources_that_agree_on_what_is_asked_do_not_differ(library):
    """Where the number of the dead is asked for, the days of two calls contradict nothing."""
    openings = (
        "US Secretary of State Marco Rubio engaged",
        "US Secretary of State Marco Rubio held",
    )
    twenty_six = frozenset({"26"})
    (found,) = findings_of(openings, library, told=(twenty_six, twenty_six))
    assert [quote.article.path[:3] for quote in found.support] == ["002"]
    assert found.conflicts == ()
