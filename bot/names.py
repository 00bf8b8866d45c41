"""Names that occur in the articles, for completion at the prompt."""

import re
from collections import Counter
from collections.abc import Iterable

from retrieval import Article

LONGEST = 4  # words of a name

_WORD = re.compile(r"[^\W\d_][\w’'-]*")
_SPACE = " "


def names_in(articles: Iterable[Article]) -> tuple[str, ...]:
    """Gather runs of capitalised words: each whole run and each of its words, frequent ones first.

    A capitalised word that opens a sentence may be an ordinary word: alone it counts only where it
    also stands inside a sentence.
    """
    names: Counter[str] = Counter()
    for article in articles:
        for run, opens in _runs(article.text):
            names.update(word for word in (run[1:] if opens else run) if len(word) > 1)
            names.update(_SPACE.join(whole) for whole in _wholes(run, opens=opens))
    return tuple(sorted(names, key=lambda name: (-names[name], name)))


def _wholes(run: list[str], *, opens: bool) -> list[list[str]]:
    """Give the names a run may be; the first word of a sentence may not belong to it."""
    candidates = [run, run[1:]] if opens else [run]
    return [words for words in candidates if len(words) > 1]


def _runs(text: str) -> Iterable[tuple[list[str], bool]]:
    """Give each run of capitalised words one space apart, and whether it opens a sentence."""
    run: list[str] = []
    opens, end = False, 0
    for found in _WORD.finditer(text):
        word, between = found[0].removesuffix("’s").removesuffix("'s"), text[end : found.start()]
        if run and (between != _SPACE or not word[0].isupper() or len(run) == LONGEST):
            yield run, opens
            run = []
        if word[0].isupper():
            if not run:
                opens = not _is_inside(between)
            run.append(word)
        end = found.start() + len(word)
    if run:
        yield run, opens


def _is_inside(between: str) -> bool:
    """Say whether what stands before a word leaves the sentence open: a space, perhaps a comma."""
    return between.strip("’'s") in {" ", ", "}
