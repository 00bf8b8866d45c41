"""notices.py: what is said where there is nothing to quote."""

import pytest

from bot.slack.notices import (
    busy_message,
    changed_note,
    failure_message,
    gone_message,
    help_message,
    hint_message,
    refusal_message,
    status_texts,
    suggested_prompts,
    thanks_message,
    too_long_message,
)
from retrieval import DEFAULT_LIMIT_BYTES, Article, read_corpus


def shown(message) -> str:
    """Read the one section that a notice is made of."""
    (block,) = message.blocks
    (section,) = block["elements"]
    return "".join(element["text"] for element in section["elements"])


def test_prompts_are_names_that_the_articles_mention(corpus):
    """The four full names that are mentioned most often, and nothing that is not in an article."""
    reading = read_corpus(
        corpus,
        limit_bytes=DEFAULT_LIMIT_BYTES,
        clock=lambda: 1e12,
        wait=lambda _seconds: None,
        on_file=lambda _done, _total: None,
    )
    prompts = suggested_prompts(reading.articles)
    assert [prompt["title"] for prompt in prompts] == [
        "South Asia",
        "Pete Hegseth",
        "Rajnath Singh",
        "Tammy Bruce",
    ]
    assert prompts[3]["message"] == "What do the articles say about Tammy Bruce?"
    assert all(
        any(prompt["title"] in article.text for article in reading.articles) for prompt in prompts
    )


def test_names_that_slack_would_parse_are_never_prompts():
    """A prompt becomes a message of the user, so that only letters may stand in it."""
    text = "We met *Ann* <!channel> there, and :rocket: Bold. We saw Ann Lee and the US Army."
    article = Article(path="a.txt", raw=text.encode(), text=text)
    assert suggested_prompts([article]) == (
        {"title": "Ann Lee", "message": "What do the articles say about Ann Lee?"},
    )


@pytest.mark.parametrize("articles", [0, 1, 5, 10**9])
def test_status_texts_are_short(articles):
    """Slack takes at most 50 characters each."""
    said = status_texts(articles)
    assert all(0 < len(text) <= 50 for text in said)


def test_the_status_counts_the_articles():
    """The asker sees how much is searched."""
    assert status_texts(1)[0] == "is searching 1 article…"
    assert status_texts(1204)[0] == "is searching 1,204 articles…"


@pytest.mark.parametrize("why", ["guest", "external", "channel"])
def test_a_refusal_says_what_to_do_instead(why):
    """Whoever is refused learns how to get an answer all the same."""
    said = shown(refusal_message(why))
    assert "A member can ask" in said or "Write to me directly" in said


def test_a_failure_gives_a_reference_and_no_reason():
    """A user gets what an operator can look up; without one there is no such sentence."""
    assert shown(failure_message("ref-1\n<!channel>")) == (
        "Your question could not be answered: something is wrong on my side. Please ask again. If "
        "it happens once more, tell whoever runs Clippings this reference: ref-1 <!channel>"
    )
    assert shown(failure_message()).endswith("Please ask again.")


def test_a_changed_article_is_named():
    """The note names each article, and says that the quotes are what was there."""
    note = changed_note(["a.txt", "<b>.txt"])
    assert shown(note) == (
        "a.txt, <b>.txt changed or went away after the answer above. Its quotes are what was "
        "written there then; ask again for what is written now."
    )
    assert note.text.startswith("a.txt, &lt;b&gt;.txt changed")


def test_many_changed_articles_are_counted():
    """Five are named."""
    assert shown(changed_note([f"{n}.txt" for n in range(7)])).startswith(
        "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more changed"
    )


def test_a_hint_offers_one_question():
    """An empty mention is answered with an example from the articles, if there is one."""
    prompt = {"title": "Bruce", "message": "Who is Bruce?"}
    assert shown(hint_message([prompt])) == (
        "What would you like to know? Mention me together with your question. For example: "
        "Who is Bruce?"
    )
    assert shown(hint_message()).endswith("with your question.")


def test_busy_says_how_many_questions_it_is_about():
    """One notice may stand for several questions of one person."""
    assert shown(busy_message(3)) == (
        "Too many questions are waiting. Your last 3 were not taken; please ask again in a minute."
    )


def test_every_notice_says_the_same_to_a_screen_reader():
    """The fallback of a notice is its text."""
    for message in (
        busy_message(),
        busy_message(3),
        too_long_message(4000),
        gone_message(),
        thanks_message(),
    ):
        assert message.text == shown(message)
    assert help_message().text.startswith("I answer questions about the articles by quoting them")
