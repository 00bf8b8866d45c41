"""Quotes that report the same but not with the same day or number."""

from datetime import date

import pytest

from retrieval.conflicts import conflict
from retrieval.datatypes import Article, Quote, Span


def quote_of(text, published=None):
    article = Article(path="a.txt", raw=text.encode(), text=text, published=published)
    return Quote(article=article, span=Span(start=0, end=len(text)))


FRIDAY = date(2025, 5, 2)
WEEK_LATER = date(2025, 5, 9)


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("They spoke on Wednesday.", "They spoke on Thursday.", "date"),
        ("They spoke on Wednesday.", "They spoke late on Wednesday.", None),
        ("They spoke on Wednesday.", "They spoke.", None),
        ("They spoke on Wednesday.", "They spoke on Wednesday and on Thursday.", None),
        ("26 people were killed.", "It killed 28 people.", "number"),
        ("26 people were killed.", "Twenty-six people were killed.", None),
        ("Three soldiers died.", "4 soldiers died.", "number"),
        ("26 people were killed.", "At least 28 people were killed.", None),
        ("26 people were killed.", "26 people were killed, 17 people were hurt.", "number"),
        ("1,200 civilians fled.", "1200 civilians fled.", None),
        ("It has 6 GB.", "It has 8 GB.", None),
        ("It costs $26 people say.", "It costs $28 people say.", None),
    ],
)
def test_only_what_can_be_read_off_is_a_contradiction(one, other, kind):
    """One day against another, and exact numbers of people; in both directions."""
    assert conflict(quote_of(one), quote_of(other)) == kind
    assert conflict(quote_of(other), quote_of(one)) == kind


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (("on Wednesday", FRIDAY), ("on Thursday", FRIDAY), "date"),
        (("on Wednesday", FRIDAY), ("on Wednesday", WEEK_LATER), None),
        (("on Wednesday", FRIDAY), ("on Thursday", WEEK_LATER), None),
        (("on April 30", FRIDAY), ("on Wednesday", FRIDAY), None),
        (("on 30 April", FRIDAY), ("on 1 May", FRIDAY), "date"),
        (("on December 31", FRIDAY), ("on Wednesday", FRIDAY), None),
        (("on April 31", FRIDAY), ("on Wednesday", FRIDAY), None),
    ],
)
def test_days_are_those_before_the_publication(one, other, kind):
    """«Wednesday» of a later article is another day, and days far apart are other events."""
    assert conflict(quote_of(*one), quote_of(*other)) == kind


CALL = "Rubio called Jaishankar on Wednesday, conveying a commitment to cooperation."


@pytest.mark.parametrize(
    ("other", "kind"),
    [
        ("Rubio phoned Jaishankar on Thursday, reaffirming the commitment to cooperation.", "date"),
        ("Rubio spoke to Jaishankar on Thursday, emphasising the need for concrete steps.", None),
    ],
)
def test_weekdays_alone_contradict_each_other_only_in_accounts_of_one_event(other, kind):
    """Two calls between the same people are two events where other things are said in them."""
    assert conflict(quote_of(CALL), quote_of(other)) == kind
    assert conflict(quote_of(other), quote_of(CALL)) == kind
