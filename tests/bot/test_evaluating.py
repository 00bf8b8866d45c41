"""evaluating.py and what it reads and writes: files of questions, answers, the page."""

import json
import math
from html.parser import HTMLParser

import pytest

from bot.batch import BatchError
from bot.cli import main
from bot.evaluation_page import page
from bot.evaluation_report import comparison_lines, evaluation_lines
from bot.gold_files import is_ranking, read_candidates, read_given, read_golds
from bot.terminal import plain
from retrieval import Gold, compare, evaluate

BRUCE = (
    "US state department spokesperson Tammy Bruce, meanwhile, said, “Rubio spoke with Jaishankar."
)
QUESTIONS = (
    {
        "id": "q1",
        "question": "Who is the spokesperson of the US State Department?",
        "answerable": True,
        "type": "who",
        "gold": [
            {"file": "000_7f2718549fe9be36.txt", "quote": BRUCE, "key": ["Tammy Bruce"]},
            {"file": "003_54675ee963de578f.txt", "key": ["spokesperson Tammy Bruce"]},
            {"file": "004_4b7cf3a3e432ac5a.txt", "key": ["Spokesperson Tammy Bruce"]},
        ],
    },
    {
        "id": "q2",
        "question": "What is <script>alert('the capital')</script> of Australia & \x1b[31mPeru?",
        "answerable": True,
        "type": "<b>",
        "gold": [{"file": "000_7f2718549fe9be36.txt", "quote": BRUCE}],
    },
    {"id": 3, "question": "hello", "answerable": False, "type": "talk", "expect": "smalltalk"},
)


class Page(HTMLParser):
    """The texts of the cells, the names of the tags, and the sources of the images of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.sources, self.cells = set(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in {"meta", "img"}:
            self.open.append(tag)
        if tag == "img":
            self.sources.append(dict(attrs)["src"])
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data


def lines_of(*objects):
    return "".join(json.dumps(each) + "\n" for each in objects).encode()


@pytest.fixture
def run(tmp_path, corpus, index, monkeypatch, capsys):
    """Evaluate in a folder with `q.jsonl`: `run("q.jsonl", ...)` gives (code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLIPPINGS_INDEX", str(index))
    monkeypatch.setenv("CLIPPINGS_CORPUS", str(corpus))
    (tmp_path / "q.jsonl").write_bytes(lines_of(*QUESTIONS))

    def evaluate_here(*arguments):
        code = main(["eval", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return evaluate_here


def test_three_questions_from_end_to_end(run, tmp_path):
    """Figures on stdout; the answers verify; the page is whole and shows what was asked as text."""
    code, out, _ = run("q.jsonl", "--html", "r.html", "--output", "a.jsonl")
    figures = {line[:24].strip(): line[24:].split() for line in out.splitlines()}
    assert code == 0
    assert figures["questions"] == ["3"]
    assert figures["misquotes"] == ["0"]
    assert figures["right@1"][0] == "0.500"
    assert figures["refused"] == ["1.000"]
    assert figures["who"] == ["1", "1.00", "1.00", "1.00"]
    assert main(["verify", "a.jsonl"]) == 0

    text = (tmp_path / "r.html").read_bytes().decode()
    shown = Page(text)
    assert shown.open == []
    assert "script" not in shown.tags
    assert "b" not in shown.tags
    assert [source.partition(",")[0] for source in shown.sources] == [
        "data:image/svg+xml;base64"
    ] * 3
    assert QUESTIONS[1]["question"].replace("\x1b", "\\x1b") in shown.cells
    assert "&lt;script&gt;" in text
    assert "http://" not in text


def test_a_comparison_with_an_earlier_run_says_what_changed(run, tmp_path):
    """A question that got worse is lost, with what was said before and what is said now."""
    run("q.jsonl", "--output", "a.jsonl")
    before = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text("utf-8").splitlines()]
    before[0] |= {"outcome": "abstention", "confidence": 0.01, "findings": [], "nearest": []}
    (tmp_path / "b.jsonl").write_bytes(lines_of(*before))
    code, out, _ = run("q.jsonl", "--compare", "b.jsonl")
    assert code == 0
    changed = out[out.index("1 won\n") :].splitlines()
    assert changed[1] == f"q1 [who] {QUESTIONS[0]['question']}"
    assert changed[2] == "    before: abstained, confidence 0.01: nothing"
    assert "now:    answered" in changed[3]
    assert "Tammy Bruce" in changed[3]
    assert changed[4:] == ["", "0 lost"]


def test_a_ranking_gives_map_and_mrr_and_needs_no_index(run, monkeypatch, tmp_path):
    """By the ranker's own score; only questions with both labels count."""
    monkeypatch.setenv("CLIPPINGS_INDEX", str(tmp_path / "none"))
    candidates = [
        {"text": "The car was sold in May.", "label": 0},
        {"text": "The spokesperson of the State Department is Tammy Bruce.", "label": 1},
    ]
    ranking = {"id": 1, "question": "Who is the spokesperson?", "candidates": candidates}
    (tmp_path / "r.jsonl").write_bytes(lines_of(ranking, ranking | {"candidates": candidates[:1]}))
    code, out, _ = run("r.jsonl")
    assert code == 0
    assert [line.split() for line in out.splitlines()[:5]] == [
        ["r.jsonl,", "by", "the", "ranker", "“clippings”"],
        ["questions", "2"],
        ["with", "both", "labels", "1"],
        ["MAP", "1.000", "1.000", "–", "1.000"],
        ["MRR", "1.000", "1.000", "–", "1.000"],
    ]
    assert not (tmp_path / "none").exists()


def test_wrong_files_are_named_before_anything_is_asked(run, tmp_path):
    """Missing, bad, overwritten, twice the same id, none of the questions: each says what to do."""
    (tmp_path / "bad.jsonl").write_bytes(b'\n{"id": 1, "question": "Who?"}\n')
    (tmp_path / "r.jsonl").write_bytes(lines_of({"question": "Who?", "candidates": []}))
    (tmp_path / "empty.jsonl").write_bytes(b"\n")
    (tmp_path / "none.jsonl").write_bytes(
        lines_of({"id": 9, "outcome": "help", "confidence": 0.0, "seconds": 0.0})
    )
    wrong = {
        ("no.jsonl",): "no.jsonl can not be read: No such file or directory. Name a file",
        ("bad.jsonl",): "bad.jsonl: line 2: «answerable» is missing, or not true or false",
        ("empty.jsonl",): "there is no question in empty.jsonl. Name a file",
        ("q.jsonl", "q.jsonl"): "two questions have the id 'q1'; give each its own",
        ("q.jsonl", "--output", "./q.jsonl"): "q.jsonl is named twice: it would be overwritten.",
        ("q.jsonl", "--output", "x", "--html", "x"): "x is named twice: it would be overwritten.",
        ("q.jsonl", "--html", "no/r.html"): "no/r.html can not be written: No such file",
        ("r.jsonl", "--html", "r.html"): "a file of candidates has no answers: leave out --html",
        ("q.jsonl", "--compare", "none.jsonl"): "the earlier answers are to none of these",
    }
    for arguments, message in wrong.items():
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert f"clippings: {message}" in err
    assert (tmp_path / "q.jsonl").read_bytes() == lines_of(*QUESTIONS)


def test_a_question_is_read_with_all_its_fields():
    """Names of the file become names of the code; what is not ours is passed over."""
    place = {"file": "a", "quote": "x y", "start": 4, "key": ["x"], "group": 2, "partial": True}
    entry = {
        "id": 1,
        "question": "And Sharif?",
        "context": ["Who is Rubio?"],
        "answerable": True,
        "type": "list",
        "gold": [place, {"file": "b", "quote": None, "answers": ["z"]}],
        "need": "all_groups",
        "all_sources": ["a", "b"],
        "must_not_quote": ["w"],
        "abstain_ok": True,
        "note": "…",
    }
    (gold,) = read_golds(lines_of(entry))
    assert gold.question.context == ("Who is Rubio?",)
    assert gold.gold == (
        Gold(path="a", quote="x y", start=4, key=("x",), group=2, partial=True),
        Gold(path="b", answers=("z",)),
    )
    assert (gold.kind, gold.sources, gold.traps) == ("list", ("a", "b"), ("w",))
    assert (gold.every_group, gold.may_abstain, gold.smalltalk) == (True, True, False)


@pytest.mark.parametrize(
    ("read", "line", "message"),
    [
        (read_golds, {"id": 1, "question": "?", "answerable": True}, "without a whole answer"),
        (read_golds, {"id": 1, "question": "?", "answerable": False, "gold": 1}, "«gold»"),
        (read_candidates, {"question": "?", "candidates": [{"text": "a"}]}, "«label»"),
        (read_given, {"id": 1, "confidence": "high"}, "«confidence»"),
        (read_given, {"id": 1, "confidence": 0, "seconds": 0, "findings": [{}]}, "«lead»"),
    ],
)
def test_a_line_that_is_not_what_it_should_be_is_refused(read, line, message):
    """With the number of the line and the field."""
    with pytest.raises(BatchError, match=message) as caught:
        read(lines_of(line))
    assert str(caught.value).startswith("line 1: ")


def test_a_ranking_is_known_by_its_first_object():
    """Blank lines before it do not matter."""
    assert is_ranking(b'\n{"candidates": []}\n')
    assert not is_ranking(lines_of(*QUESTIONS))


def test_nothing_to_show_is_shown_as_nothing():
    """No question: a page without plots, and dashes instead of figures."""
    evaluation = evaluate([], [], {})
    comparison = compare(evaluation, evaluation)
    text = page(evaluation, name="q", generation="g", hits=(), comparison=comparison)
    shown = Page(text)
    assert (shown.open, shown.sources) == ([], [])
    assert math.isnan(evaluation.figures[3].value)
    assert "useful                           -\n" in plain(evaluation_lines(evaluation))
    assert "useful                           -         -\n" in plain(comparison_lines(comparison))
