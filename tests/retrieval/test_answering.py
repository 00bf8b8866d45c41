"""The one way from a question to a reply."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval.answering import answer
from retrieval.calibration import RANKED_SIGNALS, SIGNALS, load_calibration
from retrieval.datatypes import Abstention, Answer, Help, Question
from retrieval.errors import QuestionError


@pytest.fixture(scope="module")
def ask(library, encoder, reranker):
    def of(text, *context, limit=3):
        question = Question(text=text, context=context)
        return answer(question, library, encoder, reranker, limit=limit)

    return of


def test_the_first_quote_answers(ask):
    """The finding that leads names what was asked for, and where it stands."""
    reply = ask("Who claimed responsibility for the Pahalgam attack?")
    assert isinstance(reply, Answer)
    lead = reply.findings[0].lead
    assert lead.article.path == "003_54675ee963de578f.txt"
    assert "claim of responsibility by The Resistance Front (TRF)" in lead.text


def test_several_sources_of_a_fact_are_named(ask):
    """Three articles give the death toll in other words; the first finding names them all."""
    reply = ask("How many people were killed in the Pahalgam attack?")
    assert isinstance(reply, Answer)
    first = (reply.findings[0].lead, *reply.findings[0].support)
    assert {quote.article.path[:3] for quote in first} == {"001", "002", "004"}
    assert all("26" in quote.text for quote in first)


def test_a_follow_up_is_searched_with_its_thread(ask):
    """«he» is the one the question before was about, and the reply says so."""
    reply = ask("and what did he tell Sharif?", "What did Rubio tell Jaishankar?")
    assert reply.resolved.added == ("Rubio",)
    assert isinstance(reply, Answer)
    assert "Sharif" in reply.findings[0].lead.text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("?!", "no_words"),
        ("", "no_words"),
        ("what is it?", "no_words"),
        ("🙂🙂", "no_words"),
        ("What is the capital of Australia?", "unknown_name"),
        ("how do i export a slack channel to csv?", "off_topic"),
        ("What did Trump tell Jaishankar on the phone?", "not_stated"),
        ("How many terrorists died in Operation Sindoor?", "not_stated"),
        ("What is the name of Pakistan's defence minister?", "not_stated"),
        ("Which aircraft were used in Operation Sindoor?", "not_stated"),
        ("Did Rubio promise India weapons?", "not_stated"),
        ("Did Rajnath Singh travel to Washington?", "not_stated"),
        ("What did Tammy Bruce say about Afghanistan?", "not_stated"),
        ("What did Sharif say about the Indus Waters Treaty?", "not_stated"),
    ],
)
def test_what_the_articles_do_not_say_is_refused_with_a_reason(ask, text, reason):
    """No passage is passed off as an answer."""
    reply = ask(text)
    assert isinstance(reply, Abstention)
    assert reply.reason == reason


def test_a_word_that_no_article_has_may_be_said_otherwise(ask):
    """«launch» stands nowhere; the ranker is sure of the strikes that India conducted."""
    reply = ask("Why did India launch Operation Sindoor?")
    assert isinstance(reply, Answer)
    assert "in response to the attack" in reply.findings[0].lead.text


def test_who_tells_it_is_not_who_is_asked_about(ask):
    """What both leaders reaffirm comes before what else Bruce says; what Pakistan is asked, too."""
    leaders = ask("According to Tammy Bruce, what did both leaders reaffirm?")
    assert isinstance(leaders, Answer)
    assert "Both leaders reaffirmed" in leaders.findings[0].lead.text
    pakistan = ask("What did Rubio encourage Pakistan to do?")
    assert isinstance(pakistan, Answer)
    assert "encouraged the Pakistani Prime Minister" in pakistan.findings[0].lead.text


def test_who_is_asked_about_by_office_is_named(ask):
    """The articles have «Sharif» in the sentence that answers, and his office elsewhere."""
    reply = ask("What did Pakistan's prime minister say to the US Secretary of State?")
    assert reply.resolved.added == ("Shehbaz Sharif", "Marco Rubio")
    assert isinstance(reply, Answer)
    assert "Sharif reaffirmed" in reply.findings[0].lead.text


def test_an_abstention_names_the_words_that_no_article_has(ask):
    """As the asker wrote them, and shows the nearest passages all the same."""
    reply = ask("What is the capital of Australia?")
    assert isinstance(reply, Abstention)
    assert "Australia" in reply.missing
    assert len(reply.nearest) == 3


def test_a_greeting_gets_help(ask):
    """Nothing is searched."""
    assert isinstance(ask("hi"), Help)


def test_a_pasted_document_is_refused(ask):
    """40,000 characters are no question."""
    with pytest.raises(QuestionError, match="at most 4,000"):
        ask("word " * 8_000)


def test_as_many_findings_as_wanted(ask):
    """One is one, and ten are more than three."""
    assert len(ask("What did Rubio say?", limit=1).findings) == 1
    assert len(ask("What did Rubio say?", limit=10).findings) > 3


def test_a_correction_is_shown(ask):
    """The asker sees which words were read as which."""
    reply = ask("What did Jaishanker post on X?")
    assert reply.resolved.spelled == (("Jaishanker", "jaishankar"),)


def test_another_language_is_no_reason_to_answer_at_random(ask):
    """A question in German finds no words, and is refused."""
    reply = ask("Welche Farbe hat der Himmel über der Wüste?")
    assert isinstance(reply, Abstention)


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [
                "'; DROP TABLE articles; --", '"', "NEAR(", "AND", "OR", "NOT", "*", "title:", "^2",
                "(", ")", "[a-z]+", "\\", "%s", "{0}", "<!channel>", "\x00", "\ud800", "\u202e",
                "🙂", "Rubio", "India", "what", "who", "26", "ﬁ", "İ", "ß", "\u0301", "attack",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=HOSTILE, before=HOSTILE)
def test_any_question_gets_exactly_one_reply(ask, text, before):
    """Whatever is typed, no error, and every quote is its file's own text."""
    reply = ask(text, before)
    assert isinstance(reply, Answer | Abstention | Help)
    if isinstance(reply, Answer):
        assert all(f.lead.text in f.lead.article.text for f in reply.findings)


def test_the_calibration_is_that_of_the_signals():
    """`calibration.json` has weights for each signal, a threshold, and says how it was fitted."""
    calibration = load_calibration()
    assert sorted(calibration.plain.answerable.weights) == sorted(SIGNALS)
    assert sorted(calibration.ranked.answerable.weights) == sorted(RANKED_SIGNALS)
    assert 0 < calibration.threshold < 1
    assert calibration.made_with
