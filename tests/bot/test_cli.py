"""cli.py: help, wrong usage, exit codes, start-up. Nothing here needs a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from bot.cli import COMMANDS, main

ASK = 'clippings ask "What did Rubio urge Pakistan to do?"'


@pytest.fixture
def said(capsys, tmp_path, monkeypatch):
    """Run a command line in an empty folder: `said("ask", ...)` gives (code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_an_example(said, command):
    """The example can be copied: it begins with the command."""
    code, out, err = said(command, "--help")
    assert (code, err) == (0, "")
    assert f"Example:  clippings {command}" in out
    assert "--corpus" in out
    assert "--index" in out


def test_bare_clippings_shows_the_help(said):
    """No arguments is no mistake."""
    code, out, err = said()
    assert (code, err) == (0, "")
    assert f"Example:  {ASK}" in out
    assert all(f"│ {command} " in out for command in COMMANDS)


WRONG = {
    ("Who is Rubio?",): "“Who is Rubio?” is not a command. "
    'To ask a question: clippings ask "Who is Rubio?"',
    ("who", "is", "Rubio"): "“who” is not a command. "
    'To ask a question: clippings ask "who is Rubio"',
    ("--corpus", "x", "What does $5 buy?"): "“What does $5 buy?” is not a command. "
    "To ask a question: clippings ask 'What does $5 buy?'",
    ("stauts",): "“stauts” is not a command. Did you mean: clippings status",
    ("ask",): f"no question. For example: {ASK}\nSee: clippings ask --help",
    ("ask", "--jsn", "x"): "No such option: --jsn (Possible options: --json)\n"
    "See: clippings ask --help",
    ("ask", "x", "--batch", "y"): "ask one question or --batch FILE, not both\n"
    "See: clippings ask --help",
    ("ask", "x", "--output", "y"): "--output belongs to --batch; for one question use “> FILE”\n"
    "See: clippings ask --help",
    ("ask", "x", "--json", "--explain"): "--explain is for people: leave out --json and --batch\n"
    "See: clippings ask --help",
    ("ask", "x", "--limit", "0"): "Invalid value for '--limit': "
    "Input should be greater than or equal to 1\nSee: clippings ask --help",
    ("index", "a", "--corpus", "b"): "name the folder of articles once: CORPUS or --corpus\n"
    "See: clippings index --help",
    ("verify",): "Missing argument 'ANSWERS'\nSee: clippings verify --help",
    ("verify", "q-7f3a91c2"): "which file is q-7f3a91c2 from? "
    "For example: clippings verify q-7f3a91c2 FILE\nSee: clippings verify --help",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_says_what_to_do_instead(said, arguments):
    """One message on stderr, exit code 2, nothing on stdout."""
    assert said(*arguments) == (2, "", f"clippings: {WRONG[arguments]}\n")


def test_a_question_can_not_act_on_the_terminal_through_a_message(said):
    """An escape sequence in the arguments is shown, not obeyed."""
    _, _, err = said("\x1b[31mwho?")
    assert err.startswith("clippings: “\\x1b[31mwho?” is not a command.")


def test_a_setting_that_can_not_be_used_is_trouble(said, monkeypatch):
    """The message names the variable; there is no traceback."""
    monkeypatch.setenv("CLIPPINGS_LIMIT", "many")
    code, out, err = said("status")
    assert (code, out) == (2, "")
    assert err.startswith("clippings: CLIPPINGS_LIMIT can not be used: ")


def test_a_missing_corpus_is_named_with_the_remedy(said, tmp_path):
    """Asking where there is neither index nor articles says which folder is missing."""
    code, out, err = said("ask", "Who?", "--corpus", str(tmp_path / "nowhere"))
    assert (code, out) == (2, "")
    assert str(tmp_path / "nowhere") in err
    assert "Traceback" not in err


def test_status_without_an_index_says_how_to_build_one(said):
    """No index is trouble with a remedy."""
    code, out, err = said("status")
    assert (code, out) == (2, "")
    assert "clippings index" in err


def test_files_that_can_not_be_read_or_written_are_named(said, tmp_path):
    """Batch files are opened before anything else happens."""
    code, _, err = said("ask", "--batch", "nowhere.jsonl")
    assert code == 2
    assert err.startswith("clippings: the questions can not be read: nowhere.jsonl: No such file")
    (tmp_path / "q.jsonl").write_text("", encoding="utf-8")
    _, _, err = said("ask", "--batch", "q.jsonl", "--output", "no/such/folder")
    assert err.startswith("clippings: the answers can not be written: no/such/folder: No such")
    _, _, err = said("ask", "--batch", "q.jsonl", "--output", "./q.jsonl")
    assert err == "clippings: --output would overwrite the questions: ./q.jsonl. Name another\n"
    _, _, err = said("verify", "nowhere.jsonl")
    assert err.startswith("clippings: the answers can not be read: nowhere.jsonl: No such file")


def test_help_loads_nothing_heavy():
    """`clippings --help` is quick because it imports neither the model nor the settings."""
    heavy = (
        "torch",
        "numpy",
        "faiss",
        "sentence_transformers",
        "bot.config",
        "prompt_toolkit",
        "slack_bolt",
    )
    code = (
        "import sys; from bot.cli import main; main(['--help']); main(['ask', '--help']);"
        f"print('loaded:', [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert done.stderr == "loaded: []\n"
