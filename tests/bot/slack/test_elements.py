"""elements.py: the small parts, and the fallback."""

import pytest

from bot.slack.controls import read_value, value_of
from bot.slack.elements import (
    MOST_FALLBACK_BYTES,
    fallback,
    fallback_of,
    name,
    one_line,
    size,
    texts,
)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("AT&T < x > y", "AT&amp;T &lt; x &gt; y"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("@here", "\u2060@\u2060here"),
        ("https://a.example", "https\u2060:\u2060//a.example"),
        ("mailto:a", "mailto\u2060:\u2060a"),
        (":rocket:", "\u2060:\u2060rocket:"),
        ("*bold* _it_ ~no~ `x`", "\u2217bold* \u02cdit_ \u223cno~ \u02cbx\u02cb"),
        ("> quoted", "\u2060&gt;\u2060 quoted"),
        ("a\u202eb\x00", "a\\u202eb\\x00"),
        (
            "At 12:30 in New Delhi: 000_7f_a.txt, 2 * 3",
            "At 12:30 in New Delhi: 000_7f_a.txt, 2 * 3",
        ),
    ],
)
def test_the_fallback_can_not_be_parsed(written, sent):
    """What Slack would read as more than characters is parted; ordinary text stays as it is."""
    assert fallback(written) == sent


def test_parts_that_do_not_fit_the_fallback_are_left_out_whole():
    """It says that there is more, and counts bytes, not characters."""
    assert fallback_of(["字" * 500, "字" * 600]) == "字" * 500 + "\nMore in the message."
    assert len(fallback_of(["字" * 500, "字" * 499]).encode()) <= MOST_FALLBACK_BYTES
    assert fallback_of(["字" * 2_000]) == "More in the message."


def test_a_long_text_is_cut_into_elements_that_join_again():
    """Each element is short enough even if every character takes two UTF-16 units."""
    parts = [element["text"] for element in texts("😀" * 3_001)]
    assert [len(part) for part in parts] == [1_500, 1_500, 1]
    assert "".join(parts) == "😀" * 3_001


def test_blocks_are_counted_in_utf_16_units():
    """An emoji counts as two, a control character as its escape."""
    assert size([{"a": "😀\x01"}]) == len('[{"a": "') + 2 + len("\\u0001") + len('"}]')


def test_a_name_that_is_not_utf_8_is_shown_with_escapes():
    """Bytes and direction marks of a file name are seen, not obeyed."""
    assert name("a\udce9\u202e\n.txt")["text"] == "a\\xe9\\u202e\\n.txt"


def test_what_somebody_typed_stays_on_its_line():
    """Line breaks become spaces, and a cut is said."""
    assert one_line(" a\n\tb \u202e", most=20) == "a b \\u202e"
    assert one_line("abcdef", most=3) == "abc… (shortened)"


def test_a_button_gives_back_what_it_was_given():
    """The ids are read in the order they were written in."""
    assert read_value(value_of("A1", "q-1", 2)) == ("A1", "q-1", "2")
    assert read_value(value_of("A1")) == ("A1",)
