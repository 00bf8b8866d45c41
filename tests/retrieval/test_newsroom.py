"""The questions written for the ranker, and the average of its runs."""

import json
from collections import ChainMap

import pytest
import torch

from retrieval.ranker.average import average
from retrieval.ranker.crossencoder import packed
from retrieval.ranker.newsroom import QUESTIONS, read_newsroom, write_set
from retrieval.reranking import unpacked

ARTICLE = (
    "MAYOR RESIGNS\n\nAnna Keller left office on Monday.\nHer deputy stays until U.S. Steel moves."
)


@pytest.fixture
def questions(tmp_path):
    """A folder of one question, on a Wikinews article and one of Reuters."""
    folder = tmp_path / "questions"
    folder.mkdir()
    line = {
        "question": "Who gave up the mayor\u2019s chair?",
        "right": [["reut_00001", 2]],
        "wrong": [["reut_00001", 3], ["w1", 1]],
    }
    (folder / "1.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    (folder / "wikinews.json").write_text(json.dumps({"w1": ["A chair fell over."]}), "utf-8")
    (tmp_path / "reut_00001.txt").write_text(ARTICLE, "utf-8")
    return folder


def test_named_sentences_come_before_those_found_by_words(questions, tmp_path):
    """What only looks like the answer is the hardest to tell from it; no right one is wrong."""
    (group,) = read_newsroom(tmp_path, questions)
    assert group.right == ("Anna Keller left office on Monday.",)
    assert group.wrong[:2] == ("Her deputy stays until U.S. Steel moves.", "A chair fell over.")
    assert not set(group.right) & set(group.wrong)


def test_a_file_of_questions_can_be_asked(questions, tmp_path):
    """Its gold quotes stand in the articles that are written beside them."""
    write_set(questions / "1.jsonl", tmp_path, tmp_path / "set", questions)
    row = json.loads((tmp_path / "set" / "questions.jsonl").read_text("utf-8"))
    (gold,) = row["gold"]
    text = (tmp_path / "set" / "corpus" / gold["file"]).read_text("utf-8")
    assert text[gold["start"] : gold["end"]] == gold["quote"]
    assert gold["quote"] == "Anna Keller left office on Monday."
    assert row["answerable"]


def test_each_question_names_what_it_is_answered_by_or_mistaken_for():
    """All files: a wrong sentence for every question, none of them right, no question twice."""
    cut = [json.loads(path.read_text("utf-8")) for path in sorted(QUESTIONS.glob("*.json"))]
    articles = dict(ChainMap(*cut))
    assert len(articles) == sum(map(len, cut))
    for path in QUESTIONS.rglob("*.jsonl"):
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert len({line["question"] for line in lines}) == len(lines) > 300
        for line in lines:
            right, wrong = ({tuple(each) for each in line[side]} for side in ("right", "wrong"))
            assert wrong
            assert not right & wrong
            for name, number in right | wrong:
                assert name.startswith("reut_") or 1 <= number <= len(articles[name])


def run_of(seed):
    """Give the changes of a run, and their packed file."""
    torch.manual_seed(seed)
    deltas = {"layer.weight": torch.randn(4, 6), "layer.bias": torch.randn(4)}
    head = {"head.weight": torch.randn(1, 12), "head.bias": torch.randn(1)}
    return deltas | head, packed(deltas, head)


def test_an_average_lies_between_the_runs():
    """But for the rounding to int8 and half precision."""
    (one, first), (other, second) = run_of(1), run_of(2)
    mean = unpacked(average([first, second], [0.25, 0.75]))
    assert mean.keys() == one.keys()
    for name, value in mean.items():
        assert torch.allclose(value, 0.25 * one[name] + 0.75 * other[name], atol=0.02)


def test_shares_that_do_not_come_to_one_are_refused():
    """Weights of more than all runs would be no average."""
    with pytest.raises(ValueError, match="not to 1"):
        average([run_of(1)[1]], [0.5])
