"""Who speaks to whom, in a question and in a sentence."""

import pytest

from retrieval.datatypes import Question
from retrieval.questions import understand
from retrieval.roles import Roles, roles_of, speaks

ARTICLE = """Talks in Zug

In her call with Meier, Mayor Keller urged Zug to rebuild.
She also asked for patience.

Meier, in his conversation with Keller, stressed that nothing is lost.
“We can rebuild,” Meier said. “It will take years.”

According to Keller, the bridge is safe. With Meier urging haste, the council met.
A statement from Keller spoke of the cost. Keller's remarks were short. Keller's dog slept.

Keller met Minister Graf with Meier, urging an end of the works.
The minister praised the city. Meier doubted the plan.
The mayor of the city waited for President Ott. The president of the club left.

Keller spoke to Baumann about the school.
She promised a new roof.

Keller encouraged Zug to work with Bern.
With condemnation from Mayor Fuchs, the vote failed.
"""


@pytest.fixture(scope="module")
def zug(open_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("roles")
    (folder / "zug.txt").write_text(ARTICLE, encoding="utf-8")
    return open_folder(folder)


@pytest.mark.parametrize(
    ("question", "who", "whom"),
    [
        ("What did Rubio tell Sharif?", ("rubio",), ("sharif",)),
        ("what did rubio tell sharif", ("rubio",), ("sharif",)),
        ("What did Marco Rubio say to Sharif about it?", ("marco", "rubio"), ("sharif",)),
        ("What did Secretary Rubio urge Pakistan to do?", ("rubio",), ("pakistan",)),
        ("What has Pakistan's defence minister said?", ("pakistan", "defens"), ()),
        ("What did Rubio ask of Sharif?", ("rubio",), ("sharif",)),
        ("What did Sharif tell the Secretary of State?", ("sharif",), ("state",)),
    ],
)
def test_a_question_says_who_is_to_speak_and_to_whom(question, who, whom):
    """Offices are left out where there is a name."""
    assert roles_of(question) == Roles(who=who, whom=whom)


@pytest.mark.parametrize(
    "question",
    ["When did Rubio tell Sharif?", "Why did Rubio say so?", "Who told Sharif?", "visas", ""],
)
def test_other_questions_have_no_roles(question):
    """Who asks when, why or who does not ask for somebody's words."""
    assert roles_of(question) is None


@pytest.mark.parametrize(
    ("question", "opening", "expected"),
    [
        ("What did Keller tell Meier?", "In her call", 1.0),
        ("What did Meier tell Keller?", "In her call", 0.0),
        ("What did Meier tell Keller?", "Meier, in his", 1.0),
        ("What did Keller tell Meier?", "Meier, in his", 0.0),
        ("What did Keller tell Meier?", "She also", 0.9 * 0.6),
        ("What did Meier say?", "“It will", 1.0),
        ("What did Keller say?", "According to Keller", 1.0),
        ("What did Meier say?", "With Meier urging", 1.0),
        ("What did Keller say?", "A statement from", 1.0),
        ("What did Keller say?", "Keller's remarks", 1.0),
        ("What did Keller say?", "Keller's dog", 0.0),
        ("What did Meier say?", "Keller met", 0.0),
        ("What did Graf say?", "The minister praised", 0.6),
        ("What did Meier say?", "The minister praised", 0.4),
        ("What did Graf say?", "The president of", 0.4),
        ("What did Ott say?", "The president of", 0.6),
        ("What did Keller tell Meier?", "Meier doubted", 0.0),
        ("What did Baumann say?", "In her call", 0.2),
        ("What did Keller tell Meier?", "She promised", 0.2 * 0.6),
        ("What did Keller tell Baumann?", "She promised", 0.9 * 0.6),
        ("What did Keller encourage Zug to do?", "Keller encouraged", 1.0),
        ("What did Keller encourage Bern to do?", "Keller encouraged", 0.2),
        ("What did Fuchs say?", "With condemnation", 0.0),
        ("Did Fuchs condemn the vote?", "With condemnation", 1.0),
    ],
)
def test_who_is_only_the_object_of_others_does_not_speak(zug, question, opening, expected):
    """«In her call with Meier, Keller urged» has Keller speak to Meier, and not the reverse."""
    query = understand(Question(text=question), zug)
    (sentence,) = (each for each in zug.sentences if each.text.startswith(opening))
    assert speaks(roles_of(question), query, sentence, zug) == pytest.approx(expected)
