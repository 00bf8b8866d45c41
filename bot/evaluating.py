"""What `eval` does: ask the Desk questions whose answers are known, and score what it says."""

import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, TypeVar

from bot.asking import FileError
from bot.batch import BatchError, answer_object, refusal, to_line
from bot.config import NO_RERANKER, Settings
from bot.desk import Desk
from bot.evaluation_report import comparison_lines, evaluation_lines, figure_lines
from bot.gold_files import is_ranking, read_candidates, read_given, read_golds
from bot.progress import progress_on_stderr
from bot.screen import console_on, say, show_unwrapped
from bot.terminal import STRONG, Line, line
from bot.visible import safe_name, visible
from bot.wiring import clock, open_desk, read_articles
from retrieval import (
    DEPTH,
    OWN,
    SHOWN,
    Article,
    Claim,
    Comparison,
    Evaluation,
    Given,
    GoldQuestion,
    Progress,
    QuestionError,
    RankingQuestion,
    Reply,
    compare,
    evaluate,
    evaluate_ranking,
    given_of,
    hit_curve,
    load_reranker,
    unknown_golds,
)

FINE, MISQUOTED = 0, 1
Content = TypeVar("Content")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The questions were asked: what was replied, and the files that the quotes are from.

    Attributes:
        articles: As they are now, by path.
    """

    given: tuple[Given, ...]
    articles: dict[str, Article]
    generation: str


def evaluate_files(
    settings: Settings,
    questions: Sequence[Path],
    *,
    page: Path | None,
    before: Path | None,
    answers: Path | None,
) -> int:
    """Score files of questions, and each file of candidates by itself.

    Args:
        page: Where to write the HTML page.
        before: The answers of an earlier run, to compare with.
        answers: Where to write the answers of this run.
    """
    golds, rankings = _read_questions(questions)
    earlier = None if before is None else _parsed(before, read_given)
    if not golds and (page or before or answers):
        raise FileError(
            "a file of candidates has no answers: leave out --html, --compare and --output, "
            "or name a file of questions too"
        )
    _spare([path for path in (*questions, before) if path], [page, answers])
    with _written(page) as page_file, _written(answers) as answers_file:
        for path, candidates in rankings:
            _rank(settings, path, candidates)
        if not golds:
            return FINE
        with _asking(settings) as (desk, on_progress):
            run = _run(settings, desk, golds, answers_file, on_progress)
            shown = _ask_deeper(desk, golds, on_progress) if page_file else []
        evaluation = evaluate(golds, run.given, run.articles)
        comparison = None if earlier is None else _compare(golds, earlier, run)
        _show(evaluation, comparison)
        if page_file:
            hits = hit_curve(golds, shown, run.articles)
            page_file.write(_page(evaluation, questions, run, hits, comparison))
    return MISQUOTED if any(judged.misquotes for judged in evaluation.judged) else FINE


def _read_questions(
    paths: Sequence[Path],
) -> tuple[list[GoldQuestion], list[tuple[Path, tuple[RankingQuestion, ...]]]]:
    golds: list[GoldQuestion] = []
    rankings: list[tuple[Path, tuple[RankingQuestion, ...]]] = []
    for path in paths:
        if _parsed(path, is_ranking):
            rankings.append((path, _parsed(path, read_candidates)))
        else:
            golds += _parsed(path, read_golds)
    seen: set[str | int] = set()
    for gold in golds:
        if gold.id in seen:
            raise FileError(f"two questions have the id {gold.id!r}; give each its own")
        seen.add(gold.id)
    if not golds and not rankings:
        names = ", ".join(safe_name(str(path)) for path in paths)
        raise FileError(f"there is no question in {names}. Name a file with one object per line")
    return golds, rankings


def _run(
    settings: Settings,
    desk: Desk,
    golds: Sequence[GoldQuestion],
    answers: TextIO | None,
    on_progress: Progress,
) -> Run:
    given: list[Given] = []
    for number, gold in enumerate(golds, start=1):
        began = clock()
        reply = _ask(desk, gold, limit=SHOWN)
        seconds = clock() - began
        given.append(given_of(reply, seconds=seconds))
        if answers:
            answers.write(to_line(answer_object(gold.id, gold.question, reply, seconds=seconds)))
        on_progress("asking", number, len(golds))
    reading = read_articles(settings.model_copy(update={"corpus": desk.corpus}))
    articles = {article.path: article for article in reading.articles}
    unknown = unknown_golds(golds, articles)
    if unknown:
        say(
            f"{unknown} gold quotes are not in {safe_name(str(desk.corpus))}: they count as missed."
            " Are these questions about another folder? Name it with --corpus"
        )
    return Run(given=tuple(given), articles=articles, generation=desk.generation)


def _ask_deeper(
    desk: Desk, golds: Sequence[GoldQuestion], on_progress: Progress
) -> list[tuple[Claim, ...]]:
    """Ask again for more findings than are scored: the curve of hits needs them."""
    shown: list[tuple[Claim, ...]] = []
    for number, gold in enumerate(golds, start=1):
        reply = _ask(desk, gold, limit=DEPTH) if gold.answerable else None
        shown.append(given_of(reply, seconds=0.0).ranked if reply else ())
        on_progress("curve", number, len(golds))
    return shown


def _ask(desk: Desk, gold: GoldQuestion, *, limit: int) -> Reply:
    try:
        return desk.ask(gold.question, limit=limit)
    except QuestionError:  # as `ask --batch` replies
        return refusal(gold.question, desk.generation)


def _compare(
    golds: Sequence[GoldQuestion], earlier: dict[str | int, Given], run: Run
) -> Comparison:
    pairs = [(gold, now) for gold, now in zip(golds, run.given, strict=True) if gold.id in earlier]
    if not pairs:
        raise FileError("the earlier answers are to none of these questions (no id is the same)")
    if len(pairs) < len(golds):
        say(f"compared are the {len(pairs)} of {len(golds)} questions that were answered before")
    common = [gold for gold, _ in pairs]
    return compare(
        evaluate(common, [earlier[gold.id] for gold in common], run.articles),
        evaluate(common, [now for _, now in pairs], run.articles),
    )


def _rank(settings: Settings, path: Path, candidates: Sequence[RankingQuestion]) -> None:
    # What is measured is a ranker: ours, where answers do without one.
    model = OWN if settings.reranker == NO_RERANKER else settings.reranker
    reranker = load_reranker(model)
    with progress_on_stderr() as on_progress:
        done = 0

        def score(question: str, sentences: Sequence[str]) -> list[float]:
            nonlocal done
            done += 1
            on_progress("ranking", done, len(candidates))
            return [float(value) for value in reranker.score(question, sentences)]

        figures = evaluate_ranking(candidates, score)
    head = f"{safe_name(str(path))}, by the ranker “{visible(model)}”"
    shown = [line(head, STRONG), *figure_lines(figures), Line()]
    show_unwrapped(console_on(sys.stdout), shown)


def _show(evaluation: Evaluation, comparison: Comparison | None) -> None:
    compared = [] if comparison is None else [Line(), *comparison_lines(comparison)]
    show_unwrapped(console_on(sys.stdout), [*evaluation_lines(evaluation), *compared])


def _page(
    evaluation: Evaluation,
    questions: Sequence[Path],
    run: Run,
    hits: Sequence[float],
    comparison: Comparison | None,
) -> str:
    from bot.evaluation_page import page

    name = ", ".join(safe_name(path.name) for path in questions)
    return page(evaluation, name=name, generation=run.generation, hits=hits, comparison=comparison)


@contextlib.contextmanager
def _asking(settings: Settings) -> Iterator[tuple[Desk, Progress]]:
    with (
        progress_on_stderr() as on_progress,
        open_desk(settings, on_progress=on_progress, say=say) as desk,
    ):
        desk.warm()
        yield desk, on_progress


def _parsed(path: Path, read: Callable[[bytes], Content]) -> Content:
    name = safe_name(str(path))
    try:
        return read(path.read_bytes())
    except OSError as error:
        raise FileError(
            f"{name} can not be read: {error.strerror}. Name a file with one JSON object per line"
        ) from None
    except BatchError as error:
        raise BatchError(f"{name}: {error}") from None


def _spare(read: Sequence[Path], written: Sequence[Path | None]) -> None:
    """Refuse to write over what is read, or two things into one file."""
    named = [path.resolve() for path in read]
    for path in written:
        if path is not None and path.resolve() in named:
            raise FileError(
                f"{safe_name(str(path))} is named twice: it would be overwritten. Name another file"
            )
        named += [] if path is None else [path.resolve()]


def _written(path: Path | None) -> contextlib.AbstractContextManager[TextIO | None]:
    if path is None:
        return contextlib.nullcontext()
    try:
        return path.open("w", encoding="utf-8", newline="\n")
    except OSError as error:
        raise FileError(
            f"{safe_name(str(path))} can not be written: {error.strerror}. "
            "Name a file in a folder that exists and that you may write to"
        ) from None
