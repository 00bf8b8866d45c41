"""What the head of a file says of itself, and what must not be read into it."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.dates import read_header

CORPUS = Path(__file__).parents[2] / "corpus"
HEADLINE_004 = (
    "US Secretary of State Rubio urges de-escalation in talks with India, Pak; "
    "presses Islamabad to curb terror support"
)
BODY = "US Secretary of State Marco Rubio spoke with Jaishankar on Thursday."


def read(text):
    """Give the header as written: title, day, dateline, outlet, first words of the body."""
    header = read_header(text)

    def written(span):
        return span and text[span.start : span.end]

    return (
        written(header.title),
        header.published,
        written(header.dateline),
        written(header.outlet),
        text[header.body : header.body + 12],
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("000_7f2718549fe9be36", (None, date(2025, 5, 2), "New Delhi", None, "India on Thu")),
        ("001_c97994353f75affd", (None, date(2025, 5, 1), None, None, "US Secretary")),
        ("002_e34cd0f6c764ac82", (None, None, None, "ANI", "US Secretary")),
        ("003_54675ee963de578f", (None, None, "Washington, May 1", None, "Amidst the e")),
        (
            "004_4b7cf3a3e432ac5a",
            (
                HEADLINE_004,
                None,
                "New York",
                None,
                "US Secretary",
            ),
        ),
    ],
)
def test_the_five_articles_say_what_they_say(name, expected):
    """Each real article gives exactly the headline, day, place and agency that stand in it."""
    assert read((CORPUS / f"{name}.txt").read_bytes().decode()) == expected


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        ("LONDON, March 3 (Reuters) - ", (None, "LONDON, March 3", "Reuters")),
        ("WASHINGTON (AP) — ", (None, "WASHINGTON", "AP")),
        ("WASHINGTON (AP) _\n", (None, "WASHINGTON", "AP")),
        ("HAMILTON (AP) --\n\n", (None, "HAMILTON", "AP")),
        ("LUSAKA, Nov. 3 (Xinhua) -- ", (None, "LUSAKA, Nov. 3", "Xinhua")),
        ("INDEPENDENCE, Mo. (AP) -- ", (None, "INDEPENDENCE, Mo.", "AP")),
        ("HONG KONG (AFP) ", (None, "HONG KONG", "AFP")),
        ("KYIV — ", (None, "KYIV", None)),
        ("NICE, France — ", (None, "NICE, France", None)),
        ("Poonch, 2 May: ", (None, "Poonch, 2 May", None)),
        ("Poonch, May 2, 2025: ", (date(2025, 5, 2), "Poonch, May 2, 2025", None)),
        ("(Reuters) - ", (None, None, "Reuters")),
    ],
)
def test_datelines_of_agencies(opening, expected):
    """A dateline gives place and day as written, the agency apart, and the body after it."""
    published, dateline, outlet = expected
    assert read(opening + BODY) == (None, published, dateline, outlet, "US Secretary")


@pytest.mark.parametrize(
    "text",
    [
        "Pete Hegseth: “We stand with India and its great people,” he wrote.",
        "Rubio: the talks go on, he said.",
        "Paris: “We will not yield,” the mayor said.",
        "Correction: An earlier version named the wrong town.",
        "Breaking: US Secretary of State Marco Rubio has landed.",
        "EXCLUSIVE - US Secretary of State Marco Rubio has landed.",
        "NASA — the American space agency — has launched it.",
        "The Associated Press (AP) reported it first.",
        "On Monday, May 1 - a holiday - nobody worked.",
        "Thursday, May 1: US Secretary of State Marco Rubio has landed.",
        "Two states have agreed with Abbott a policy.",
        "London:",
        "",
        "\ufeff",
        " \r\n ",
    ],
)
def test_no_dateline_is_read_into_a_body(text):
    """What only looks like a dateline stays part of the body."""
    assert read_header(text).dateline is None
    assert read_header(text).outlet is None


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2021-03-04", date(2021, 3, 4)),
        ("Published: March 4, 2021", date(2021, 3, 4)),
        ("4 March 2021", date(2021, 3, 4)),
        ("Thursday, 4th March 2021, 10:30 GMT", date(2021, 3, 4)),
        ("Mar. 4 2021 at 9:05 p.m.", date(2021, 3, 4)),
        ("Sept. 30, 2020", date(2020, 9, 30)),
        ("2021-03-04T10:00:00Z", date(2021, 3, 4)),
        ("2024-02-29", date(2024, 2, 29)),
        ("2023-02-29", None),
        ("2025-13-40", None),
        ("31 June 2021", None),
        ("Updated: March 5, 2021", None),
        ("03/04/2021", None),
        ("March 4", None),
        ("2021", None),
    ],
)
def test_a_day_on_a_line_of_its_own(written, expected):
    """A whole, real and unambiguous date near the top is the day; anything less is none."""
    assert read_header(f"Rubio in talks\n{written}\n\n{BODY}\n").published == expected


def test_a_date_of_the_stamp_that_no_calendar_has_gives_none():
    """An impossible day in the stamp is not repaired, and the stamp is not body."""
    assert read(f" date 2025-13-40 {BODY}") == (None, None, None, None, "US Secretary")


def test_a_day_in_the_body_is_not_the_day_of_publication():
    """Days that the report tells of are not taken for its own."""
    assert (
        read_header(f"{BODY} It was on 2021-03-04.\n4 March 2021 was a Thursday.").published is None
    )


def test_headline_byline_date_and_body_are_told_apart():
    """All that a web page puts above the report is taken off in order."""
    text = (
        f"Rubio in talks\nBy John Smith\nPublished: March 4, 2021\n\nLONDON (AP) - {BODY}\n\n- AP\n"
    )
    assert read(text) == ("Rubio in talks", date(2021, 3, 4), "LONDON", "AP", "US Secretary")


@pytest.mark.parametrize(
    ("text", "title"),
    [
        (f"Rubio: “We stand with India”\n\n{BODY}", "Rubio: “We stand with India”"),
        (f"\ufeffRubio in talks\r\n{BODY}\r\n", "Rubio in talks"),
        (f"Rubio in talks\r{BODY}\r", "Rubio in talks"),
        (f"CHINA CALLS FOR DEAL WITH U.S.\n\n{BODY}", "CHINA CALLS FOR DEAL WITH U.S."),
        ("Normans\n\nThe Normans were a people.", "Normans"),
    ],
)
def test_headlines(text, title):
    """A short first line that is no sentence, with a body below it, is the headline."""
    assert read(text)[0] == title


@pytest.mark.parametrize(
    "text",
    [
        "Rubio in talks",
        "Rubio in talks\n",
        "Rubio in talks\n\nANI\n",
        f"The President met Rubio.\n{BODY}",
        f"He said: “We stand with India.”\n{BODY}",
        f"The quarrel over the\nKashmir valley, which the two\nneighbours claim, went on.\n{BODY}",
        "The quarrel over Kashmir,\nwhich goes on.",
        f"{'Rubio in talks ' * 20}\n\n{BODY}",
        f"(Changes paragraph 3)\n\n{BODY}",
        f"File: Prof. Scott Lucas 1. jpg\n\n{BODY}",
        f"Reuters\n{BODY}",
    ],
)
def test_what_is_not_a_headline(text):
    """A sentence, a wrapped line, a caption, an agency, or a line without a body is no headline."""
    assert read_header(text).title is None


@pytest.mark.parametrize(
    ("last", "outlet"),
    [
        ("ANI", "ANI"),
        ("Reuters", "Reuters"),
        ("- AP", "AP"),
        ("(PTI)", "PTI"),
        ("(With inputs from ANI)", "ANI"),
        ("Comments are closed.", None),
        ("He works for Reuters", None),
    ],
)
def test_an_agency_alone_in_the_last_line_is_the_outlet(last, outlet):
    """Only an agency that stands alone at the end is named as the source."""
    assert read(f"{BODY}\n\n{last}\n\n")[3] == outlet


@given(
    st.text(
        st.sampled_from("date 2025-05-02\r\n\ufeffNew YorkMay1:,—-(AP)“”.\u2028é") | st.characters()
    )
)
def test_any_text_has_a_header_inside_it(text):
    """Whatever the text, every span and the body lie in it and nothing is raised."""
    header = read_header(text)
    assert 0 <= header.body <= len(text)
    for span in (header.title, header.dateline, header.outlet):
        assert span is None or span.end <= len(text)


def test_a_line_of_ten_million_letters_is_read_at_once():
    """No pattern is slow on a line without an end."""
    for letters in ("A" * 10_000_000, "Aa " * 3_000_000, "\n" * 9_999_999 + "A"):
        assert read_header(letters).dateline is None
