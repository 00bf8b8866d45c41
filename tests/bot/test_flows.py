"""The command line from end to end: real files, real model, behind pipes and in a terminal."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bot.batch import read_stated
from bot.cli import main

ANSWERABLE = "Who is the spokesperson of the US State Department?"
HOSTILE = (
    "Quimby said \x1b[31mred\x1b[0m and \u202egnp.exe to [bold]Zorblax[/bold] :smile: in "
    "Quuxville, after the 1887 fair.\n"
)


@pytest.fixture
def here(tmp_path, corpus, index, monkeypatch):
    """Stand in a folder with `corpus` and its index, as after `clippings index`."""
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copytree(index, tmp_path / ".clippings")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """Stand in a folder whose one article would like to act on the terminal."""
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "bad \x1b[1m.txt").write_bytes(HOSTILE.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def texts(folder):
    return [path.read_bytes().decode() for path in sorted((folder / "corpus").iterdir())]


def test_ask_indexes_first_and_pipes_a_plain_verbatim_answer(clippings, tmp_path, corpus):
    """In a fresh folder: progress on stderr, the quote as the file has it on stdout, code 0."""
    shutil.copytree(corpus, tmp_path / "corpus")
    done = clippings("ask", *ANSWERABLE.split())
    out = done.stdout.decode()
    assert done.returncode == 0
    assert "\x1b" not in out
    quote = out.removeprefix(" 1  ").partition("\n    00")[0]
    assert "Tammy Bruce" in quote
    assert any(quote in text for text in texts(tmp_path))
    assert b"Traceback" not in done.stderr
    assert b" of " in done.stderr
    again = clippings("ask", ANSWERABLE)
    assert (again.stdout, again.stderr) == (done.stdout, b"")


@pytest.mark.usefixtures("hostile")
def test_index_asks_the_cluster_that_is_named(capsys):
    """`--dask` is where shards are made: one that is none is trouble, and nothing is indexed."""
    assert main(["index", "--dask", "localhost"]) == 2
    assert "'localhost' is no address of a Dask scheduler" in capsys.readouterr().err
    assert not Path(".clippings", "CURRENT").exists()


@pytest.mark.usefixtures("here")
def test_an_abstention_has_exit_code_one(capsys):
    """As grep's when nothing matched."""
    assert main(["ask", "Who won the 1998 World Cup final in Zorbistan?"]) == 1
    assert capsys.readouterr().out.startswith("The articles do not say.\n")


@pytest.mark.usefixtures("here")
def test_a_question_may_come_from_standard_input(clippings):
    """`-` reads it; smalltalk gets help and code 0."""
    done = clippings("ask", "-", stdin=b"hello\n")
    assert done.returncode == 0
    assert b"quoting them word for word" in done.stdout


def test_json_can_be_verified_and_an_altered_quote_fails(here, capsys):
    """What --json prints can be verified: PASS; one letter changed: FAIL and exit code 1."""
    assert main(["ask", ANSWERABLE, "--json", "--limit", "2"]) == 0
    page = capsys.readouterr().out
    (here / "a.json").write_text(page, encoding="utf-8")
    assert main(["verify", "a.json"]) == 0
    verdicts = capsys.readouterr().out.splitlines()
    stated = read_stated(page.encode())
    assert verdicts == [
        *(f"PASS  {quote.id}  {quote.claim.path}" for quote in stated),
        f"{len(stated)} quotes: {len(stated)} PASS, 0 FAIL",
    ]
    (here / "b.json").write_text(page.replace("Bruce", "Bryce"), encoding="utf-8")
    assert main(["verify", "b.json"]) == 1
    assert capsys.readouterr().out.startswith(f"FAIL  {stated[0].id}  {stated[0].claim.path}: ")


@pytest.mark.usefixtures("here")
def test_a_quote_id_is_found_in_its_file_and_in_no_other(capsys):
    """The receipt of an answer leads back to the words."""
    main(["ask", ANSWERABLE, "--json"])
    lead = json.loads(capsys.readouterr().out)["findings"][0]["lead"]
    assert main(["verify", lead["id"], f"corpus/{lead['path']}"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"PASS  {lead['id']}  {lead['path']}\n{lead['text']}\n— ")
    other = next(p.name for p in Path("corpus").iterdir() if p.name != lead["path"])
    assert main(["verify", lead["id"], other]) == 1
    assert capsys.readouterr().out.startswith(f"FAIL  {lead['id']}  {other}: no place in this")


def test_a_batch_is_answered_in_order_and_bad_lines_are_named(here, capsys):
    """Each question has its line, an endless one is refused; a bad line is told, with code 2."""
    lines = [
        json.dumps({"id": "a", "question": ANSWERABLE}),
        "",
        "{broken",
        json.dumps({"id": 2, "question": "word " * 2000}),
        json.dumps({"id": "c", "question": "And whom?", "context": ["Did Rubio call Sharif?"]}),
    ]
    (here / "q.jsonl").write_text("\n".join(lines), encoding="utf-8")
    assert main(["ask", "--batch", "q.jsonl", "--output", "a.jsonl", "--limit", "1"]) == 2
    answers = [json.loads(line) for line in (here / "a.jsonl").read_text("utf-8").splitlines()]
    assert answers[0]["outcome"] == "answer"
    assert [a["id"] for a in answers] == ["a", 2, "c"]
    assert (answers[1]["outcome"], answers[1]["reason"]) == ("abstention", "no_words")
    assert all(len(a["findings"]) <= 1 and 0 < a["seconds"] < 5 for a in answers)
    assert answers[2]["resolved"] != "And whom?"
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("clippings: q.jsonl: line 3: not JSON")
    assert err[1].startswith("clippings: q.jsonl: line 4: the question has 10,000 characters")
    assert len(err) == 2


@pytest.mark.usefixtures("here")
def test_a_batch_streams_through_pipes(clippings):
    """`--batch -` reads standard input and writes standard output; code 0 if all were processed."""
    done = clippings("ask", "--batch", "-", stdin=b'{"id": "a", "question": "What of Peru?"}\n')
    assert done.returncode == 0
    assert json.loads(done.stdout)["outcome"] == "abstention"
    assert done.stderr == b""


@pytest.mark.usefixtures("here")
def test_explain_shows_the_scores(capsys):
    """The table has a column for each finding."""
    main(["ask", ANSWERABLE, "--explain", "--limit", "2"])
    out = capsys.readouterr().out
    assert "Confidence that the first quote answers: 0." in out
    assert out.partition("Confidence")[2].splitlines()[1].split() == ["[1]", "[2]"]


def test_index_tells_what_it_did_and_what_it_skipped(here, capsys):
    """A second pass re-uses everything; a bad file is named with reason and remedy."""
    (here / "corpus" / "latin\n1.txt").write_bytes(b"caf\xe9")
    (here / "corpus" / ".hidden.txt").write_bytes(b"no")
    assert main(["index"]) == 0
    capsys.readouterr()
    assert main(["index", "corpus"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("5 articles, ")
    assert "5 articles unchanged, " in out
    assert "; the index was up to date\n" in out
    assert "1 hidden or temporary file left out\n1 file skipped:\n  latin\\n1.txt " in out


def test_a_named_folder_answers_and_no_other(here, capsys):
    """An index of another folder is built anew, and that is said; unnamed, the index answers."""
    (here / "other").mkdir()
    (here / "other" / "new.txt").write_text("Quimby founded Quuxville.\n", encoding="utf-8")
    assert main(["ask", "Who founded Quuxville?", "--corpus", "other"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(" 1  Quimby founded Quuxville.\n    new.txt · line 1 · undated")
    assert captured.err.startswith("clippings: .clippings was of ")
    shutil.rmtree(here / "corpus")
    assert main(["ask", "Who founded Quuxville?"]) == 0
    assert main(["status"]) == 0
    assert "changes     none since\n" in capsys.readouterr().out


def test_status_tells_what_changed_since(here, capsys):
    """Changed, new and gone files are named."""
    names = sorted(path.name for path in Path("corpus").iterdir())
    (here / "corpus" / names[0]).write_text("Something else.\n", encoding="utf-8")
    (here / "corpus" / names[1]).unlink()
    (here / "corpus" / "new.txt").write_text("News.\n", encoding="utf-8")
    assert main(["status"]) == 0
    out = capsys.readouterr().out
    assert "\nmodel       all-MiniLM-L6-v2\nencoding    " in out
    assert "\nholds       5 articles, " in out
    assert out.endswith(
        f"changed     1 file: {names[0]}\nnew         1 file: new.txt\n"
        f"gone        1 file: {names[1]}\nRun `clippings index` to bring the index up to date.\n"
    )


@pytest.mark.usefixtures("here")
def test_a_reader_that_leaves_ends_it_quietly():
    """A pipe into something that does not read prints no traceback."""
    pipe = f"{sys.executable} -m bot status | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["/bin/bash", "-c", pipe],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.usefixtures("here")
def test_highlights_are_for_terminals_without_no_color(open_terminal):
    """On a terminal matched words are bold and underlined; NO_COLOR takes every sequence away."""
    coloured = open_terminal("ask", ANSWERABLE)
    assert coloured.leave() == 0
    assert "\x1b[1;4mState\x1b[0m" in coloured.shown
    bare = open_terminal("ask", ANSWERABLE, NO_COLOR="1")
    assert bare.leave() == 0
    assert "\x1b" not in bare.shown
    assert bare.plain == coloured.plain


@pytest.mark.usefixtures("hostile")
def test_hostile_text_is_shown_and_never_obeyed(open_terminal, capfdbinary):
    """A terminal gets escapes and a note; a pipe and JSON get the characters of the file."""
    terminal = open_terminal("ask", "What did Quimby say to Zorblax in Quuxville?")
    assert terminal.leave() in {0, 1}
    words = " ".join(terminal.plain.split())
    assert "said \\x1b[31mred\\x1b[0m and \\u202egnp.exe to [bold]Zorblax[/bold] " in words
    assert "bad \\x1b[1m.txt" in words
    assert "\x1b[31m" not in terminal.shown
    assert "\u202e" not in terminal.shown
    assert "shown as escapes" in words
    main(["ask", "What did Quimby say to Zorblax in Quuxville?"])
    assert HOSTILE.rstrip("\n").encode() in capfdbinary.readouterr().out
    main(["ask", "What did Quimby say to Zorblax in Quuxville?", "--json"])
    page = capfdbinary.readouterr().out
    assert b"\x1b" not in page
    assert read_stated(page)[0].claim.text == HOSTILE.rstrip("\n")


def test_watch_keeps_the_index_up_to_date_until_interrupted(open_terminal, here):
    """A new article is indexed; a bad pass is told and survived; Ctrl-C ends with code 0."""
    terminal = open_terminal("index", "--watch")
    terminal.wait_for("5 articles unchanged, ")
    (here / "corpus" / "new.txt").write_text("Quimby founded Quuxville.\n", encoding="utf-8")
    terminal.wait_for("6 articles, ")
    terminal.type("\x03")
    terminal.wait_for("stopped watching")
    assert terminal.leave() == 0
