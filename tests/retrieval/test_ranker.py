"""`retrieval.ranker`: the groups that the ranker is trained on."""

import json
import random
import re

import pytest

from retrieval.ranker.augmentation import CANDIDATES, example_of, swapped
from retrieval.ranker.groups import Group
from retrieval.ranker.roles import role_group
from retrieval.ranker.sources import read_squad, read_trecqa
from retrieval.ranker.synthetic import detail_group, news_groups, speaker_group
from retrieval.ranker.vocabulary import LAST, PLACES

PARTIES = {*LAST, *PLACES}
MAKERS = (role_group, speaker_group, detail_group)


def parties(text):
    """Give the parties that a text names."""
    return PARTIES.intersection(re.findall(r"\w+", text))


def groups_of(maker):
    """Give 300 groups of one kind."""
    rng = random.Random(7)  # noqa: S311 - chooses what to test
    return [maker(rng) for _ in range(300)]


def test_a_seed_gives_the_same_groups():
    """Made-up news is a function of its count and its seed."""
    assert news_groups(200, seed=13) == news_groups(200, seed=13)


def test_another_seed_gives_other_groups():
    """The seed is really used."""
    assert news_groups(20, seed=13) != news_groups(20, seed=14)


def test_a_longer_run_begins_as_a_shorter_one():
    """A group does not depend on how many follow it."""
    assert news_groups(50, seed=13)[:20] == news_groups(20, seed=13)


@pytest.mark.parametrize("maker", MAKERS)
def test_a_group_has_one_right_sentence_or_none(maker):
    """Both kinds come up, and nothing else."""
    assert {len(group.right) for group in groups_of(maker)} == {0, 1}


def test_no_sentence_is_both_right_and_wrong():
    """A made-up group has some wrong sentences, each once, and never its right one."""
    groups = news_groups(500, seed=13)
    assert all(group.wrong for group in groups)
    assert [g for g in groups if len(set(g.right + g.wrong)) < len(g.right + g.wrong)] == []


def test_a_wrong_sentence_names_the_same_parties_as_the_right_one():
    """Names alone never tell which sentence answers a question on roles."""
    answered = [group for group in groups_of(role_group) if group.right]
    assert [
        group
        for group in answered
        if parties(group.right[0]) not in [parties(text) for text in group.wrong]
    ] == []


def test_an_unanswered_group_still_names_the_parties_asked_about():
    """A question without an answer is not told by names that no sentence has."""
    unanswered = [group for group in groups_of(role_group) if not group.right]
    assert [
        group
        for group in unanswered
        if not any(parties(group.question) <= parties(text) for text in group.wrong)
    ] == []


def test_an_example_holds_each_kind_of_sentence_with_its_label():
    """Right sentences come first and are labelled so; there are no more than the model is shown."""
    rng = random.Random(3)  # noqa: S311 - chooses what to test
    for group in news_groups(200, seed=13):
        example = example_of(group, rng)
        right = len(group.right)
        assert example.labels == (True,) * right + (False,) * (len(example.texts) - right)
        assert len(example.texts) <= CANDIDATES


def test_swapped_exchanges_the_name_asked_about_with_the_answer():
    """Who did what to whom is turned round, and nothing else changes."""
    assert (
        swapped("Later Rubio told Sharif to wait.", question="Who told Sharif?", answer="Rubio")
        == "Later Sharif told Rubio to wait."
    )


def test_swapped_leaves_a_sentence_alone_if_no_name_is_the_answer():
    """An exchange that the answer does not depend on would leave the sentence right."""
    text = "Later Rubio told Sharif to wait."
    assert swapped(text, question="What did Rubio tell Sharif?", answer="to wait") is None


def test_squad_gives_the_sentence_of_the_answer_and_none_if_impossible(tmp_path):
    """Right is the one sentence that the answer stands in; wrong ones never hold the answer."""
    context = "Rubio called Sharif on Monday. Sharif thanked Doha.\nNobody else spoke."
    qas = [
        {
            "id": "1",
            "question": " Whom did Rubio call?",
            "answers": [{"text": "Sharif", "answer_start": 13}],
        },
        {
            "id": "2",
            "question": "Who called Doha?",
            "answers": [],
            "is_impossible": True,
        },
    ]
    article = {"title": "x", "paragraphs": [{"context": context, "qas": qas}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [article]}), "utf-8")
    possible, impossible = read_squad(path, source="made")
    assert (possible.question, possible.answer) == ("Whom did Rubio call?", "Sharif")
    assert possible.right == ("Rubio called Sharif on Monday.",)
    assert possible.wrong == ("Nobody else spoke.",)
    assert (impossible.right, impossible.answer) == ((), "")
    assert sorted(impossible.wrong) == [
        "Nobody else spoke.",
        "Rubio called Sharif on Monday.",
        "Sharif thanked Doha.",
    ]


def test_squad_leaves_out_an_answer_over_two_sentences(tmp_path):
    """No one sentence answers such a question."""
    context = "Rubio called Sharif. Sharif thanked Doha."
    question = {
        "id": "1",
        "question": "What happened?",
        "answers": [{"text": "called Sharif. Sharif thanked", "answer_start": 6}],
    }
    article = {"title": "x", "paragraphs": [{"context": context, "qas": [question]}]}
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"data": [article]}), "utf-8")
    assert read_squad(path, source="made") == []


def test_trecqa_groups_the_rows_of_a_question(tmp_path):
    """Labels sort the sentences; a question without a wrong sentence is left out."""
    path = tmp_path / "train.csv"
    path.write_text(
        "qtext,label,atext\n"
        "Who called ?,0,Sharif waited .\n"
        "Who called ?,1,Rubio called .\n"
        '"When , then ?",1,On Monday .\n'
        "Who called ?,0,Doha hosted .\n",
        "utf-8",
    )
    assert read_trecqa(path) == [
        Group(
            question="Who called ?",
            right=("Rubio called .",),
            wrong=("Sharif waited .", "Doha hosted ."),
            source="trecqa",
        )
    ]
