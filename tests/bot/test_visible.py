"""visible.py: what a terminal would act upon is shown instead."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from bot.visible import acts_on_terminal, safe_name, visible


def test_escape_sequences_are_shown_as_characters():
    """ESC is an escape in letters, the rest of the sequence stays as it is."""
    assert visible("\x1b[31mred\x1b[0m") == "\\x1b[31mred\\x1b[0m"


def test_c1_controls_and_direction_controls_are_shown():
    """The one-character CSI and the bidi override act on a terminal too."""
    assert visible("a\x9bb\u202ec") == "a\\x9bb\\u202ec"


def test_line_breaks_and_tabs_stay():
    """LF, CRLF and tab are ordinary; a lone CR would overwrite the line."""
    assert visible("a\nb\r\nc\td\re") == "a\nb\r\nc\td\\re"


def test_ordinary_text_of_any_script_is_untouched():
    """Nothing that merely looks unusual is escaped, zero-width joiners of emoji included."""
    text = "“Zürich” — naïve 北京 नमस्ते 👩\u200d🚒 e\u0301"
    assert visible(text) == text
    assert not acts_on_terminal(text)


def test_a_name_is_one_line_and_shows_its_bytes():
    """Line breaks, bytes that are not UTF-8 and controls of a name are escaped."""
    assert safe_name("a\nb\udce9\x1b*_<!channel>.txt") == "a\\nb\\xe9\\x1b*_<!channel>.txt"


@given(st.text())
def test_nothing_shown_acts_on_a_terminal(text):
    """Whatever the text, what is shown has no control but tab and line breaks."""
    shown = visible(text)
    assert not acts_on_terminal(shown)
    controls = {c for c in shown if unicodedata.category(c) == "Cc"}
    assert controls <= {"\n", "\t", "\r"}
    assert "\r" not in shown.replace("\r\n", "")
