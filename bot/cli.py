"""The command line. Exit codes as grep's: 0 answered, 1 the articles do not say, 2 trouble.

`clippings --help` must be quick: this module imports Typer and nothing of ours at its top; each
command imports what it needs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bot.config import Settings

TROUBLE = 2
INTERRUPTED = 130  # as the shell reports SIGINT
BROKEN_PIPE = 141  # as the shell reports SIGPIPE
COMMANDS = ("index", "ask", "repl", "slack", "status", "verify", "eval")

CorpusOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="The folder of articles; else CLIPPINGS_CORPUS, else “corpus”."
    ),
]
IndexOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", help="The folder of the index; else CLIPPINGS_INDEX, else “.clippings”."
    ),
]

app = typer.Typer(
    name="clippings",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _Misuse(typer.TyperException):
    """A command line that Typer accepts and we do not."""

    def __init__(self, ctx: typer.Context, message: str) -> None:
        super().__init__(message)
        self.ctx = ctx


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit code; the one place where errors are caught."""
    from bot.streams import leave_broken_pipe, prepare_streams

    arguments = list(sys.argv[1:] if argv is None else argv)
    prepare_streams()
    try:
        unknown = _unknown_command(arguments)
        code = _complain(unknown) if unknown else _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):  # Typer turns a broken pipe into SystemExit
        leave_broken_pipe()
        return BROKEN_PIPE
    return code


def _run(arguments: list[str]) -> int:
    try:
        return int(app(arguments, prog_name="clippings", standalone_mode=False) or 0)
    except typer.TyperException as error:
        return _complain(_usage(error))
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - the boundary: nothing is below it
        from retrieval import ClippingsError

        if isinstance(error, ClippingsError):
            return _complain(str(error))
        return _complain(_defect(error, arguments))


@app.callback(
    invoke_without_command=True,
    epilog='Example:  clippings ask "What did Rubio urge Pakistan to do?"\n\n'
    "Exit codes:  0 answered, 1 the articles do not say, 2 trouble",
)
def clippings(
    ctx: typer.Context,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
    debug: Annotated[
        bool, typer.Option("--debug", metavar="", help="Show where a defect happens.")
    ] = False,
) -> None:
    """Answer questions about a folder of news articles in their own words, and name the file."""
    del debug  # main() looks for it, because it must know before anything is parsed
    ctx.obj = (corpus, index)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


@app.command(
    "index",
    epilog="Example:  clippings index corpus\n\n"
    "Exit codes:  0 indexed, even if some files were skipped (they are listed), 2 trouble",
)
def index_(
    ctx: typer.Context,
    folder: Annotated[
        Path | None, typer.Argument(metavar="CORPUS", help="The folder of articles.")
    ] = None,
    *,
    watch: Annotated[
        bool,
        typer.Option("--watch", metavar="", help="Index again after each change, until Ctrl-C."),
    ] = False,
    dask: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Encode on the Dask cluster of this scheduler: tcp://HOST:8786."
        ),
    ] = None,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> int:
    """Index the articles. What did not change is not computed again."""
    if folder and corpus and folder != corpus:
        raise _Misuse(ctx, "name the folder of articles once: CORPUS or --corpus")
    from bot.upkeep import index_corpus, watch_corpus

    settings = _settings(ctx, corpus=folder or corpus, index=index)
    if watch:
        return watch_corpus(settings, cluster=dask)
    return index_corpus(settings, cluster=dask)


@app.command(
    epilog='Example:  clippings ask "What did Rubio urge Pakistan to do?"\n\n'
    "Example:  clippings ask --batch questions.jsonl --output answers.jsonl\n\n"
    "Exit codes:  0 answered, 1 the articles do not say, 2 trouble; "
    "with --batch 0 if every question was processed",
)
def ask(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="QUESTION", help="The question; “-” reads it from standard input."),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", metavar="", help="Print the object of the batch format.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", metavar="", help="Show each score that led to the choice.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N findings; else 3.")
    ] = None,
    batch: Annotated[
        str | None, typer.Option(metavar="FILE", help="Answer a JSON object per line; “-”: stdin.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="Where --batch writes; else stdout, “-”.")
    ] = None,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> int:
    """Ask one question, or a file of questions. Without an index, one is built first."""
    _check_ask(ctx, words=words, batch=batch, output=output, as_json=as_json, explain=explain)
    from bot.asking import ask_batch, ask_explained, ask_json, ask_plainly

    settings = _settings(ctx, corpus=corpus, index=index)
    limit = limit or settings.limit
    if batch:
        return ask_batch(settings, batch, output or "-", limit=limit)
    answer_one = ask_json if as_json else ask_explained if explain else ask_plainly
    return answer_one(settings, _question(words or []), limit=limit)


@app.command(epilog="Example:  clippings repl\n\nExample:  clippings repl --corpus corpus")
def repl(
    ctx: typer.Context,
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N findings; else 3.")
    ] = None,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> int:
    """Ask question after question, follow-ups too; /help in it lists its commands."""
    from bot.asking import hold_repl

    settings = _settings(ctx, corpus=corpus, index=index)
    return hold_repl(settings, limit=limit or settings.limit)


@app.command(
    epilog="Example:  clippings slack\n\n"
    "Exit codes:  0 ended by a signal, 2 trouble, 75 Slack is out of reach, 78 Slack refuses the "
    "tokens",
)
def slack(ctx: typer.Context, *, corpus: CorpusOption = None, index: IndexOption = None) -> int:
    """Answer in Slack, until Ctrl-C; README.md says how to set it up in five steps."""
    from bot.slack.serving import serve

    return serve(_settings(ctx, corpus=corpus, index=index))


@app.command(epilog="Example:  clippings status")
def status(ctx: typer.Context, *, corpus: CorpusOption = None, index: IndexOption = None) -> int:
    """Say what the index holds, how old it is, and which files changed since."""
    from bot.upkeep import show_status

    return show_status(_settings(ctx, corpus=corpus, index=index))


@app.command(
    epilog="Example:  clippings verify answers.jsonl\n\n"
    "Example:  clippings verify q-7f3a91c2 000_7f2718549fe9be36.txt\n\n"
    "Exit codes:  0 every quote passes, 1 a quote fails, 2 trouble",
)
def verify(
    ctx: typer.Context,
    answers: Annotated[
        str, typer.Argument(metavar="ANSWERS", help="A file of answers, or the id of a quote.")
    ],
    file: Annotated[
        str | None, typer.Argument(metavar="FILE", help="With the id of a quote: its file.")
    ] = None,
    *,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> int:
    """Read the files again and say PASS or FAIL for each quote."""
    if file is None and answers.startswith("q-") and not Path(answers).exists():
        raise _Misuse(
            ctx, f"which file is {answers} from? For example: clippings verify {answers} FILE"
        )
    from bot.upkeep import verify_answers, verify_quote

    settings = _settings(ctx, corpus=corpus, index=index)
    if file is None:
        return verify_answers(settings, Path(answers))
    return verify_quote(settings, answers, file)


@app.command(
    "eval",
    epilog="Example:  clippings eval tests/gold/questions.jsonl --html report.html\n\n"
    "Example:  clippings eval questions.jsonl --output now.jsonl --compare before.jsonl\n\n"
    "Exit codes:  0 scored, 1 a quote is not what its file says, 2 trouble",
)
def eval_(
    ctx: typer.Context,
    questions: Annotated[
        list[Path],
        typer.Argument(
            metavar="QUESTIONS...",
            help="Files of questions with known answers, or of candidates with labels.",
        ),
    ],
    *,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with plots and the misses.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="ANSWERS", help="Tell what changed since these answers.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the answers, to compare with later.")
    ] = None,
    corpus: CorpusOption = None,
    index: IndexOption = None,
) -> int:
    """Ask questions whose answers are known, and say how good the replies are."""
    from bot.evaluating import evaluate_files

    settings = _settings(ctx, corpus=corpus, index=index)
    return evaluate_files(settings, questions, page=html, before=compare, answers=output)


def _settings(ctx: typer.Context, *, corpus: Path | None, index: Path | None) -> "Settings":
    """Read the settings; an option after the command wins over the same one before it."""
    from bot.config import read_settings

    corpus_before, index_before = ctx.obj
    return read_settings(corpus=corpus or corpus_before, index=index or index_before)


def _check_ask(
    ctx: typer.Context,
    *,
    words: list[str] | None,
    batch: str | None,
    output: str | None,
    as_json: bool,
    explain: bool,
) -> None:
    if batch and words:
        raise _Misuse(ctx, "ask one question or --batch FILE, not both")
    if not batch and not words:
        raise _Misuse(
            ctx, 'no question. For example: clippings ask "What did Rubio urge Pakistan to do?"'
        )
    if output and not batch:
        raise _Misuse(ctx, "--output belongs to --batch; for one question use “> FILE”")
    if explain and (as_json or batch):
        raise _Misuse(ctx, "--explain is for people: leave out --json and --batch")


def _question(words: Sequence[str]) -> str:
    if list(words) == ["-"]:
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    return " ".join(words)


def _unknown_command(arguments: Sequence[str]) -> str | None:
    """Say what to do instead where the first word is no command."""
    rest = list(arguments)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        del rest[: 2 if rest[0] in {"--corpus", "--index"} else 1]
    if not rest or rest[0] in COMMANDS:
        return None
    from difflib import get_close_matches

    near = get_close_matches(rest[0], COMMANDS, n=1)
    if near:
        return f"“{rest[0]}” is not a command. Did you mean: clippings {near[0]}"
    question = " ".join(rest)
    return f"“{rest[0]}” is not a command. To ask a question: clippings ask {_quoted(question)}"


def _quoted(text: str) -> str:
    """Quote a text for the shell; in double marks where they keep every character as it is."""
    from shlex import quote

    return quote(text) if set(text) & set('"$`\\!') else f'"{text}"'


def _usage(error: typer.TyperException) -> str:
    ctx = getattr(error, "ctx", None)
    command = ctx.command_path if ctx else "clippings"
    return f"{error.format_message().rstrip('.')}\nSee: {command} --help"


def _defect(error: Exception, arguments: Sequence[str]) -> str:
    if "--debug" in arguments:
        raise error
    return (
        f"a defect of clippings: {type(error).__name__}: {error}\n"
        "Please report it with what `clippings --debug ...` says"
    )


def _complain(message: str) -> int:
    from bot.visible import visible

    typer.echo(f"clippings: {visible(message)}", err=True)
    return TROUBLE
