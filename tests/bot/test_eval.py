"""`clippings eval` from end to end."""

import json
import re

from bot.cli import main

QUESTIONS = [
    {
        "id": "right",
        "type": "who",
        "question": "Who claimed responsibility for the <Pahalgam> attack?",
        "answerable": True,
        "gold": [
            {
                "file": "003_54675ee963de578f.txt",
                "quote": None,
                "answers": ["The Resistance Front (TRF)"],
            }
        ],
    },
    {
        "id": "no",
        "type": "general",
        "question": "What is the capital of Australia?",
        "answerable": False,
        "gold": [],
    },
    {
        "id": "hi",
        "type": "smalltalk",
        "question": "hi",
        "answerable": False,
        "expect": "smalltalk",
        "gold": [],
    },
]


def test_figures_are_printed_and_drawn(tmp_path, corpus, index, capsys):
    """Three questions, all served well; the page holds their figures and no markup of theirs."""
    questions, page = tmp_path / "q.jsonl", tmp_path / "report.html"
    questions.write_text("\n".join(map(json.dumps, QUESTIONS)), encoding="utf-8")
    arguments = ["--corpus", str(corpus), "--index", str(index), "eval", str(questions)]
    assert main([*arguments, "--html", str(page)]) == 0
    printed = capsys.readouterr().out
    figures = dict(re.findall(r"^(\S+) +([\d.]+)", printed, flags=re.MULTILINE))
    assert (figures["questions"], figures["misquotes"]) == ("3", "0")
    assert (figures["useful"], figures["right@1"], figures["refused"]) == ("1.000",) * 3
    html = page.read_text("utf-8")
    assert "<Pahalgam>" not in html
    assert html.count("<img") >= 3


def test_a_bad_file_of_questions_is_named(tmp_path, corpus, index, capsys):
    """The message says which line and what is wrong with it."""
    questions = tmp_path / "q.jsonl"
    questions.write_text('{"id": 1}\n', encoding="utf-8")
    arguments = ["--corpus", str(corpus), "--index", str(index), "eval", str(questions)]
    assert main(arguments) == 2
    assert "line 1" in capsys.readouterr().err
