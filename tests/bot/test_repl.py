"""repl.py and prompt.py: the REPL through pipes and in a terminal."""

import io
import shutil
import stat
import time

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from rich.console import Console

from bot.desk import Desk
from bot.prompt import completer
from bot.repl import COMMANDS, Repl
from bot.wiring import today
from retrieval import DEFAULT_MODEL, load_encoder

ASKED = "What did Rubio urge Pakistan to do?"
PROMPT_READY = "\x1b[?2004h"  # the prompt turns bracketed paste on,
PROMPT_LEFT = "\x1b[?2004l"  # and off again once it has the line


@pytest.fixture(scope="module")
def desk(index):
    with Desk(
        index=index,
        encoder=load_encoder(DEFAULT_MODEL),
        open_reranker=lambda: None,
        clock=time.perf_counter,
    ) as desk:
        yield desk


@pytest.fixture
def talk(desk):
    """Give a REPL some lines; `talk("...", "/open 1")` gives what it showed for each."""

    def run(*lines):
        shown = io.StringIO()
        repl = Repl(desk=desk, console=Console(file=shown), limit=3, today=today)
        seen = []

        def feed():
            for line in lines:
                yield line
                seen.append(shown.getvalue())
                shown.seek(0)
                shown.truncate()

        repl.run(feed())
        return seen

    return run


def test_a_question_is_answered_and_its_quotes_can_be_looked_at(talk):
    """/open marks the quote in its article, /why has its scores, /copy the bare words."""
    answer, opened, why, copied = talk(ASKED, "/open 1", "/why 1", "/copy 1")
    quote = answer.removeprefix(" 1  ").partition("\n    00")[0]
    assert "Pakistan" in quote
    assert "\n> " in opened
    assert quote.splitlines()[0] in opened
    assert why.splitlines()[0].split() == ["[1]"]
    assert why.splitlines()[1].split()[0] == "score"
    assert copied.startswith(f"{quote}\n— 00")


def test_a_follow_up_is_searched_together_with_what_was_asked_before(talk):
    """The REPL says which words it added; /new forgets the thread."""
    _, follow_up, _, alone = talk("Did Rubio call Sharif?", "And what of him?", "/new", "And him?")
    assert follow_up.startswith("searched together with: ")
    assert "searched together" not in alone


def test_open_all_shows_the_whole_article(talk):
    """Every line of the file is there."""
    _, part, everything = talk(ASKED, "/open 1", "/open 1 all")
    assert len(everything.splitlines()) >= len(part.splitlines())
    assert "«all» after the number" not in everything


def test_sources_lists_every_article_with_its_day(talk, corpus):
    """One line per file of the corpus."""
    (shown,) = talk("/sources")
    assert {row.split()[1] for row in shown.rstrip().splitlines()} == {
        path.name for path in corpus.iterdir()
    }


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("/open", "That is not how /open is used:\n/open N      the article around quote N; "),
        ("/open one", "/open needs the number of a quote, for example: /open 1\n"),
        ("/why 99", "There is no quote 99: the last reply has "),
        ("/why 1 all", "That is not how /why is used:\n/why N "),
        ("/sources 1", "That is not how /sources is used:\n"),
        ("/xyz", "/xyz is not a command; /help lists them.\n"),
        ("word " * 1000, "the question has "),
    ],
)
def test_what_can_not_be_done_is_said(talk, entry, message):
    """The message says how it is done; the REPL goes on."""
    _, shown, help_ = talk(ASKED, entry, "/help")
    assert shown.startswith(message)
    assert help_.startswith("/open N ")


def test_a_look_at_a_quote_before_any_question(talk):
    """There is nothing to open yet."""
    (shown,) = talk("/open 1")
    assert shown == "There is no quote yet: ask a question first.\n\n"


def test_help_lists_every_command(talk):
    """One line each."""
    (shown,) = talk("/help")
    assert tuple(row.split()[0] for row in shown.splitlines() if row) == COMMANDS


def test_a_pasted_text_of_several_lines_is_one_question(talk):
    """Its line breaks are spaces."""
    (shown,) = talk("What did\nRubio urge\nPakistan to do?\n")
    assert shown == talk(ASKED)[0]


def test_quit_ends_before_what_follows(talk):
    """The lines after /quit are not taken."""
    assert talk("/quit", "/help") == []


def test_names_and_commands_are_completed(desk):
    """Commands at the start of a line, names of the articles elsewhere, by their beginning."""

    def offered(typed):
        complete = completer(desk, COMMANDS).get_completions
        return [found.text for found in complete(Document(typed), CompleteEvent())]

    assert offered("/o") == ["/open"]
    assert offered("/") == list(COMMANDS)
    assert "Jaishankar" in offered("What did jaish")
    assert "Marco Rubio" in offered("Ma")
    assert offered("Who ") == []


def test_standard_input_may_be_a_pipe(clippings, tmp_path, corpus):
    """Questions and commands come line by line; the end of the input ends it with code 0."""
    shutil.copytree(corpus, tmp_path / "corpus")
    done = clippings("repl", stdin=f"{ASKED}\n/copy 1\n\xff\n".encode("latin-1"))
    assert done.returncode == 0
    out = done.stdout.decode()
    assert out.startswith(" 1  ")
    assert "\n— 00" in out
    assert "\x1b" not in out


def at_prompt(terminal):
    return terminal.shown.rfind(PROMPT_READY) > terminal.shown.rfind(PROMPT_LEFT)


def test_a_session_in_a_terminal(open_terminal, tmp_path, corpus, index):
    """Ctrl-C cancels a question and not the REPL; paste, /open, history, Ctrl-D."""
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copytree(index, tmp_path / ".clippings")
    first = open_terminal("repl")
    first.wait_for("Ctrl-D ends.")
    first.wait_until(lambda: at_prompt(first))
    first.type(ASKED + "\r")
    first.wait_until(lambda: PROMPT_LEFT in first.shown)
    time.sleep(0.5)  # the question waits for the model, which takes longer than this to load
    first.type("\x03")
    first.wait_for("Cancelled.")
    first.wait_until(lambda: at_prompt(first))
    first.type("\x1b[200~What did\nRubio urge Pakistan to do?\x1b[201~\r")
    first.wait_for("· q-")
    first.wait_until(lambda: at_prompt(first))
    assert "\x1b[1;4m" in first.shown
    first.type("/open 1\r")
    first.wait_until(lambda: "\x1b[7m" in first.shown)
    first.wait_until(lambda: at_prompt(first))
    first.type("no question\x03")
    first.type("/copy 9\r")
    first.wait_for("There is no quote 9")
    first.wait_until(lambda: at_prompt(first))
    first.type("\x04")
    assert first.leave() == 0
    history = tmp_path / ".clippings" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    second = open_terminal("repl")
    second.wait_for("Ctrl-D ends.")
    second.wait_until(lambda: at_prompt(second))
    second.type("\x1b[A")
    second.wait_for("/copy")
    second.type("\x15\x04")
    assert second.leave() == 0
