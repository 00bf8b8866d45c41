"""Names that stand for one another: «Islamabad» for Pakistan, «EAM» for the minister.

The groups stand in `names.json`, which people may edit; an abbreviation that an article spells out
itself («Line of Control (LoC)») is read from the article.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from retrieval.words import content, stems

Stems = tuple[str, ...]

_FEW = 2  # words: «TRF?», «LOC INDIA»
_ACRONYM = re.compile(r"[A-Za-z]*[A-Z][A-Za-z]*[A-Z][A-Za-z]*")
_SPELLED_OUT = (
    r"((?:[A-Z][\w’'-]*\s+(?:(?:of|the|and|for|on)\s+)*){0,5}[A-Z][\w’'-]*)\s*\(\s*%s\s*\)"
)


@cache
def _groups() -> tuple[tuple[Stems, ...], ...]:
    text = resources.files("retrieval").joinpath("names.json").read_text("utf-8")
    return tuple(
        tuple(dict.fromkeys(tuple(stems(name)) for name in group))
        for group in json.loads(text)["groups"]
    )


@cache
def _groups_by_stem() -> Mapping[str, tuple[tuple[Stems, ...], ...]]:
    found: dict[str, list[tuple[Stems, ...]]] = {}
    for group in _groups():
        for stem in {stem for member in group for stem in member}:
            found.setdefault(stem, []).append(group)
    return {stem: tuple(groups) for stem, groups in found.items()}


def is_listed(stem: str) -> bool:
    """Tell whether a stem belongs to a name of the groups: a country, an office, a capital."""
    return stem in _groups_by_stem()


def alternatives(text: str) -> Mapping[str, tuple[Stems, ...]]:
    """Find what else may stand for the words of a question.

    Returns:
        For a stem of the question, the names of its groups that may stand in its place, each as
        stems. A name of several words counts where all of them stand in the question.
    """
    asked = [token.stem for token in content(text)]
    found: dict[str, dict[Stems, None]] = {}
    for stem in asked:
        for group in _groups_by_stem().get(stem, ()):
            for member in group:
                if stem in member and all(part in asked for part in member):
                    others = (other for other in group if not set(other) <= set(asked))
                    found.setdefault(stem, {}).update(dict.fromkeys(others))
    return {stem: tuple(names) for stem, names in found.items() if names}


def acronyms(text: str) -> tuple[str, ...]:
    """Give the words of a question that are written like an abbreviation, in order.

    Where all is written in capitals, nothing tells an abbreviation from «ATTACK».
    """
    if text.isupper() and len(content(text)) > _FEW:
        return ()
    words = (text[token.start : token.end] for token in content(text))
    return tuple(dict.fromkeys(word for word in words if _ACRONYM.fullmatch(word)))


def spelled_out(acronym: str, text: str) -> str | None:
    """Give what an article writes before an abbreviation in brackets: «Line of Control (LoC)»."""
    if "(" not in text:  # most sentences: an expression is made for each abbreviation
        return None
    match = re.search(_SPELLED_OUT % re.escape(acronym), text)
    if match is None:
        return None
    # «Along the Line of Control (LoC)»: it begins where the abbreviation does.
    begins = [word.start() for word in re.finditer(r"\S+", match[1])]
    fitting = [at for at in begins if match[1][at].upper() == acronym[0].upper()]
    capitals = sum(letter.isupper() for letter in acronym)
    for at in fitting:
        if len(re.findall(r"\b[A-Z]", match[1][at:])) <= capitals:
            return match[1][at:]
    return match[1][fitting[-1] :] if fitting else None
