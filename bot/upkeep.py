"""What `index`, `status` and `verify` do. Each gives its exit code."""

import contextlib
import sys
import time
from collections.abc import Collection, Iterable
from pathlib import Path

from bot.asking import FileError
from bot.batch import Stated, read_stated
from bot.config import Settings
from bot.progress import progress_on_stderr
from bot.reports import (
    drift,
    drift_lines,
    engine_lines,
    report_lines,
    skipped_lines,
    status_lines,
    tally,
    upload_lines,
    verdict,
)
from bot.screen import console_on, say, show
from bot.terminal import Line, copyable, line
from bot.visible import safe_name
from bot.wiring import Indexer, read_articles, upload_index, with_known_corpus
from retrieval import (
    ClippingsError,
    EngineFault,
    Library,
    Quote,
    Reading,
    Skipped,
    find_quote,
    look_up,
    open_library,
    read_article,
    verify,
    way_of,
)

FINE, FAILED = 0, 1


def index_corpus(settings: Settings, *, cluster: str | None) -> int:
    _index_once(Indexer(with_known_corpus(settings), cluster=cluster), changed=None)
    return FINE


def watch_corpus(settings: Settings, *, cluster: str | None) -> int:
    """Index until Ctrl-C, which is how this ends well."""
    from bot.watching import keep_indexed

    settings = with_known_corpus(settings)
    indexer = Indexer(settings, cluster=cluster)
    say(f"watching {safe_name(str(settings.corpus))}; Ctrl-C ends")
    try:
        keep_indexed(
            settings.corpus,
            settings.index,
            index_once=lambda changed: _index_again(indexer, changed),
            is_settled=indexer.is_settled,
            say=say,
        )
    except KeyboardInterrupt:
        say("stopped watching")
    return FINE


def show_status(settings: Settings) -> int:
    console = console_on(sys.stdout)
    settings = with_known_corpus(settings)
    with contextlib.closing(open_library(settings.index, fingerprint=None)) as library:
        shown = status_lines(
            generation=library.generation,
            facts=library.facts,
            age_s=time.time() - (settings.index / "CURRENT").stat().st_mtime,
            size=_size(settings.index),
            index=str(settings.index),
            way=way_of(settings.model),
            segments=len(library.segments),
            recall=library.recall,
        )
        show(console, shown)
        show(console, _engine_lines(settings, library))
    try:
        reading = read_articles(settings)
    except ClippingsError as error:
        show(console, [line(str(error), margin=f"{'changes':<12}")])
        return FINE
    show(console, drift_lines(drift(library.articles.digests(), _digests(reading))))
    show(console, skipped_lines(reading.skipped))
    return FINE


def verify_answers(settings: Settings, answers: Path) -> int:
    """Check every quote of a file of answers against the files of the corpus."""
    console = console_on(sys.stdout)
    failed = 0
    stated = read_stated(_read(answers))
    settings = with_known_corpus(settings)
    for quote in stated:
        problems = _problems(settings, quote)
        failed += bool(problems)
        show(console, [verdict(quote.id, quote.claim.path, problems)])
    show(console, [tally(passed=len(stated) - failed, failed=failed)])
    return FAILED if failed else FINE


def verify_quote(settings: Settings, quote_id: str, file: str) -> int:
    """Find the place that a receipt stands for in a file, and show what stands there now."""
    console = console_on(sys.stdout)
    settings = with_known_corpus(settings)
    path = _inside(settings.corpus, file)
    article = read_article(settings.corpus, path, limit_bytes=settings.max_file_bytes)
    if isinstance(article, Skipped):
        raise FileError(f"{safe_name(path)} {article.reason}; {article.remedy}")
    span = find_quote(quote_id, article)
    if span is None:
        problem = "no place in this file has that id: the file changed since, or it is another file"
        show(console, [verdict(quote_id, path, [problem])])
        return FAILED
    quote = Quote(article=article, span=span)
    show(console, [verdict(quote_id, path, []), *copyable(quote)])
    return FINE


def _index_once(indexer: Indexer, changed: Collection[str] | None) -> None:
    with progress_on_stderr() as on_progress:
        report = indexer.index(on_progress=on_progress, changed=changed)
        show(console_on(sys.stdout), report_lines(report))
        uploaded = upload_index(indexer.settings, on_progress=on_progress)
    engine = indexer.settings.engine
    if uploaded and engine:
        show(console_on(sys.stdout), upload_lines(uploaded, str(engine)))


def _engine_lines(settings: Settings, library: Library) -> Iterable[Line]:
    """Say what searches; a server that is away does not keep the rest from being said."""
    if settings.engine is None:
        return engine_lines(None, None)
    try:
        return engine_lines(str(settings.engine), look_up(library, settings.index, settings.engine))
    except EngineFault as error:
        return [line(str(error), margin=f"{'engine':<12}")]


def _index_again(indexer: Indexer, changed: Collection[str] | None) -> None:
    _index_once(indexer, changed)
    indexer.warm()  # after the first pass: what is new then need not wait for the model


def _digests(reading: Reading) -> dict[str, str]:
    return {article.path: article.digest for article in reading.articles}


def _problems(settings: Settings, quote: Stated) -> tuple[str, ...]:
    return verify(quote.claim, settings.corpus, limit_bytes=settings.max_file_bytes)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileError(
            f"the answers can not be read: {safe_name(str(path))}: {error.strerror}. "
            "Name a file that `clippings ask --batch` or `--json` wrote"
        ) from None


def _inside(corpus: Path, file: str) -> str:
    """Give the path inside the corpus, also for one typed from where the user stands."""
    if (corpus / file).exists() or not Path(file).exists():
        return file
    try:
        return Path(file).resolve().relative_to(corpus.resolve()).as_posix()
    except ValueError:
        raise FileError(
            f"{safe_name(file)} is not in {safe_name(str(corpus))}. "
            "Name a file of the corpus, or the corpus with --corpus"
        ) from None


def _size(folder: Path) -> int:
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())
