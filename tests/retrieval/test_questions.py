"""Question → what to search for."""

import pytest

from retrieval.datatypes import Question, Resolved
from retrieval.errors import QuestionError
from retrieval.questions import LIMIT, PEOPLE, clean, is_smalltalk, resolve, understand

TEXTS = [
    "Rubio told Jaishankar that the US supports India.",
    "Rubio urged Sharif to condemn the attack.",
    "Jaishankar thanked South Korea and its foreign minister.",
]


@pytest.fixture(scope="module")
def three(open_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("three")
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return open_folder(folder)


@pytest.mark.parametrize(
    ("asked", "searched"),
    [
        ("What  did\nRubio say?", "What did Rubio say?"),
        ("Wh\u200bat did \ud800Rubio\x00 say?", "What did Rubio say?"),
        ("\u202eRubio\u202c", "Rubio"),
        ("🙂 Rubio", "🙂 Rubio"),
        ('\'; DROP TABLE x; -- "a" AND (b*)', '\'; DROP TABLE x; -- "a" AND (b*)'),
        ("", ""),
    ],
)
def test_a_question_is_made_safe_to_search(asked, searched):
    """Surrogates, control and invisible characters go; search syntax stays as plain words."""
    assert clean(asked) == searched


def test_a_pasted_document_is_no_question():
    """Beyond the limit the asker is told how long a question may be."""
    with pytest.raises(QuestionError, match=r"40,000 characters; ask in at most 4,000"):
        clean("a" * 10 * LIMIT)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("hi", True),
        ("Hello there!", True),
        ("thanks a lot", True),
        ("What can you do?", True),
        ("help", True),
        ("hi, what did Rubio say?", False),
        ("Who helped?", False),
        ("", False),
        ("?!", False),
    ],
)
def test_smalltalk_is_told_from_questions(text, expected):
    """A greeting gets help; a question that opens with one is still a question."""
    assert is_smalltalk(text) is expected


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("When did they speak?", "time"),
        ("How many people died?", "number"),
        ("Who is the foreign minister?", "person"),
        ("Where was the attack?", "place"),
        ("Why did they speak?", "reason"),
        ("What did Rubio say?", None),
    ],
)
def test_the_question_word_tells_what_the_answer_holds(three, text, kind):
    """When asks for a time, how many for a number, and so on."""
    assert understand(Question(text=text), three).kind == kind


def test_a_death_toll_is_the_number_of_the_dead(three):
    """«26 were killed» says it, and so does «claimed 26 lives»."""
    query = understand(Question(text="What is the death toll?"), three)
    assert (query.kind, query.counted) == ("number", PEOPLE)
    assert {("kill",), ("life",)} <= {*query.also["toll"]}


def test_stop_words_are_not_searched(three):
    """What is searched is the content of the question, in its order, each word once."""
    query = understand(Question(text="What did Rubio tell Sharif, and what did Rubio say?"), three)
    assert query.stems[:3] == ("rubio", "tell", "sharif")
    assert query.names == ("rubio", "sharif")


@pytest.mark.parametrize(
    ("text", "context", "expected"),
    [
        (
            "and what did he tell Sharif?",
            ("What did Rubio tell Jaishankar?",),
            Resolved(text="and what did Rubio tell Sharif?", added=("Rubio",)),
        ),
        (
            "and what did its foreign minister do then?",
            ("What did Jaishankar do about South Korea?",),
            Resolved(
                text="and what did its foreign minister do then? (Jaishankar South Korea)",
                added=("Jaishankar", "South", "Korea"),
            ),
        ),
        (
            "What did Jaishankar thank South Korea for?",
            ("What did Rubio tell Sharif?",),
            Resolved(text="What did Jaishankar thank South Korea for?"),
        ),
        (
            "why?",
            ("What did Rubio tell Sharif?", "and Jaishankar?"),
            Resolved(
                text="why? (Rubio tell Sharif)",
                added=("Rubio", "tell", "Sharif"),
            ),
        ),
        ("and what did he tell Sharif?", (), Resolved(text="and what did he tell Sharif?")),
    ],
)
def test_a_follow_up_is_filled_in_from_its_thread(three, text, context, expected):
    """A question that leans on the one before takes its words; one that stands alone does not."""
    assert resolve(text, context, three.sentence_words) == expected


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("What did Rubio say after the attack?", {"attack"}),
        ("What did Rubio tell Sharif during the call on Wednesday?", {"call", "wednesday"}),
        ("What happened before 2020, and what did Rubio say?", {"2020"}),
        ("After the attack, what did Rubio say?", set()),
        ("What did Rubio say?", set()),
    ],
)
def test_what_only_says_when_is_the_setting(three, text, setting):
    """«After ...» up to a comma says which time is meant; at the start it may be the topic."""
    assert understand(Question(text=text), three).setting == setting


def test_a_surname_stands_for_the_name_where_an_article_uses_it_alone(open_folder, tmp_path):
    """«Ms Bruce» is Tammy Bruce; «Korea» alone is not South Korea."""
    text = "Tammy Bruce spoke of South Korea. Ms Bruce then left. North Korea was silent.\n"
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    also = understand(
        Question(text="What did Tammy Bruce say about South Korea?"), open_folder(tmp_path)
    ).also
    assert also["tammi"] == (("bruce",),)
    assert ("korea",) not in also.get("south", ())
