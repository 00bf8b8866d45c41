"""names.py: what Tab offers."""

from bot.names import names_in
from retrieval import Article


def names(text):
    return names_in([Article(path="a.txt", raw=text.encode(), text=text)])


def test_runs_of_capitalised_words_and_their_parts():
    """The most frequent first, then by letter; ordinary words are no names."""
    text = "Then Marco Rubio called. He told Rubio’s aide, and Shehbaz Sharif, to wait."
    assert names(text) == (
        "Rubio",
        "Marco",
        "Marco Rubio",
        "Sharif",
        "Shehbaz",
        "Shehbaz Sharif",
        "Then Marco Rubio",
    )


def test_a_word_that_only_opens_sentences_is_no_name():
    """«The» and «After» are not offered."""
    assert names("The call ended. After it, nothing.") == ()
