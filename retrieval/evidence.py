"""What speaks for a sentence: evidence of different kinds, each a number.

What its words, its vector and its neighbourhood have in common with the question; whether it holds
what the question word asks for, and close to the question's own words; who acts or speaks in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from retrieval.datatypes import Sentence
from retrieval.demands import demand_of, shown
from retrieval.library import Library
from retrieval.names import is_listed
from retrieval.questions import AnswerKind, Query, coverage, stands, with_names
from retrieval.searching import Candidates
from retrieval.words import STOP_WORDS, Token, tokens

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Values are in [0, 1], but `order` and the vectors' cosines, which are in [-1, 1].
EVIDENCE = (
    "sentence_words",  # BM25 of the sentence, relative to the best candidate's
    "passage_words",  # the same of its passage with the headline
    "sentence_vector",  # cosine of question and sentence, as its article makes it read
    "passage_vector",  # cosine of question and passage
    "coverage",  # share of the question's words that the sentence has, by how much they tell
    "near_coverage",  # the same, with the sentence before it
    "article_coverage",  # the same of the whole article
    "names",  # the same of the question's names alone
    "near_names",
    "phrase",  # share of the question's word pairs that are neighbours here too
    "order",  # whether the question's words stand in its order
    "kind",  # holds what the question word asks for, beyond the question's own words
    "kind_near",  # and close to them
    "subject",  # the one whose words are asked for stands first
    "speech",  # somebody speaks, where the question asks what somebody says
    "heading",  # it is a headline
    "question",  # it is a question itself
    "lead",  # it opens its passage
    "length",  # words, up to 25
    "speaks",  # the one who is asked about speaks, and to the one he is asked about
    "demand",  # shows what else the question demands: a number, the holder of an office
)

# What the kinds of answer look like, the surest first, with how much each tells.
_KINDS: Mapping[AnswerKind, tuple[tuple[re.Pattern[str], float], ...]] = {
    "number": (
        (re.compile(r"(?<![\w-])[$£€]?\d"), 1.0),
        (
            re.compile(
                r"\b(one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty"
                r"|fifty|dozens?|hundreds?|thousands?|millions?|billions?|half|third|quarter|none"
                r"|several|once|twice|no)\b",
                re.IGNORECASE,
            ),
            0.7,
        ),
    ),
    "time": (
        (
            re.compile(
                r"\b(January|February|March|April|May|June|July|August|September|October|November"
                r"|December|Jan\.|Feb\.|Aug\.|Sept?\.|Oct\.|Nov\.|Dec\.) \d|\b\d{1,2} (Jan|Feb|Mar"
                r"|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)|\b(1[0-9]{3}|20[0-9]{2})\b",
            ),
            1.0,
        ),
        (
            re.compile(r"\b(Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b|\b\d{1,2}(:\d\d)? ?[ap]\.?m"),
            0.6,
        ),
        (
            re.compile(
                r"\b(yesterday|today|tomorrow|tonight|(last|next|this) \w+|earlier|ago|century"
                r"|decade|morning|evening|night|January|February|March|April|June|July|August"
                r"|September|October|November|December|since|until|when|after|before)\b",
            ),
            0.4,
        ),
    ),
    "place": (
        (re.compile(r"\b(in|at|near|along|on|across|outside|inside|around) (the )?[A-Z]"), 1.0),
        (re.compile(r"\b(from|to|of|into|between) (the )?[A-Z]"), 0.7),
        (re.compile(r"\b(in|at|near|along|on|across|outside|inside|around) "), 0.3),
    ),
    "person": (
        (re.compile(r"\b[A-Z][\w’'.-]+ [A-Z][\w’'-]+"), 1.0),
        (re.compile(r"\b[A-Z][\w’'-]+"), 0.7),
    ),
    "reason": (
        (
            re.compile(
                r"\b(because|due to|in response|in order to|so that|owing to|as a result|caused by"
                r"|result(ed|ing)? (of|from|in)|prompt(ed|ing)|thanks to|in retaliation|reason)\b",
                re.IGNORECASE,
            ),
            1.0,
        ),
        (
            re.compile(
                r"\b(after|following|amid|since|led to|therefore|blam(ed|ing)|citing|sparked"
                r"|triggered|over|for|aimed at|to [a-z]+)\b",
                re.IGNORECASE,
            ),
            0.5,
        ),
    ),
}
_NEAR = 4  # words between the question's own and what it asks for
_SAYS = re.compile(
    r"[“”\"«»]|\b(sa(id|ys|ying)|t(old|ells?)|add(ed|s)|stat(ed|es)|claim(ed|s)|announc|warn(ed|s)"
    r"|urg(ed|es|ing)|ask(ed|s)|accord|express|stress|emphasi|convey|tweet|post(ed|s)|wrote"
    r"|reiterat|reaffirm|call(ed|s) (for|on)|encourag|den(y|ied))",
    re.IGNORECASE,
)


def evidence(query: Query, candidates: Candidates, library: Library) -> NDArray[np.float32]:
    """Weigh each candidate by each kind of evidence.

    Returns:
        Shape (n, len(EVIDENCE)), columns as in `EVIDENCE`.
    """
    import numpy as np

    table = np.zeros((len(candidates.rows), len(EVIDENCE)), dtype=np.float32)
    table[:, 0] = candidates.sentence_words / (candidates.sentence_words.max(initial=0.0) or 1.0)
    table[:, 1] = candidates.passage_words / (candidates.passage_words.max(initial=0.0) or 1.0)
    table[:, 2] = candidates.sentence_vector
    table[:, 3] = candidates.passage_vector
    sentences = [library.sentences[row] for row in candidates.rows]
    articles = library.passage_articles[[sentence.passage for sentence in sentences]]
    covered = _article_coverage(query, articles, library)
    settings = _settings(query, articles, library)
    demand = demand_of(query)
    table[:, 4:] = [
        (
            *_of_sentence(query, _text_of(sentence, setting, library), article_coverage),
            *shown(demand, query, sentence, library),
        )
        for sentence, setting, article_coverage in zip(sentences, settings, covered, strict=True)
    ]
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """A candidate's words, cut once for all kinds of evidence.

    Attributes:
        stems: Those of the sentence, and those of the question's setting that its article has.
        near: The same, and those of the sentence before it.
    """

    sentence: Sentence
    text: str
    tokens: tuple[Token, ...]
    places: Mapping[str, Sequence[int]]
    stems: frozenset[str]
    near: frozenset[str]
    leads: bool


def _text_of(sentence: Sentence, setting: frozenset[str], library: Library) -> _Text:
    found = tokens(sentence.text)
    places: dict[str, list[int]] = {}
    for place, token in enumerate(found):
        places.setdefault(token.stem, []).append(place)
    rows = library.rows_of(sentence.article)
    before = tokens(library.sentences[sentence.row - 1].text) if sentence.row > rows.start else ()
    return _Text(
        sentence=sentence,
        text=sentence.text,
        tokens=found,
        places=places,
        stems=setting.union(places),
        near=setting.union(places, (token.stem for token in before)),
        leads=library.passages[sentence.passage].sentences[0] == sentence.row,
    )


def _of_sentence(query: Query, text: _Text, article_coverage: float) -> tuple[float, ...]:
    """Give the evidence between the first five columns and the last two, in their order."""
    kind, kind_near = _kind(query, text)
    return (
        coverage(query, query.stems, text.stems),
        coverage(query, query.stems, text.near),
        article_coverage,
        coverage(query, query.names or query.stems, text.stems),
        coverage(query, query.names or query.stems, text.near),
        _phrase(query, text.places),
        _order(query, text.places),
        kind,
        kind_near,
        _subject(query, text),
        float(query.says and _SAYS.search(text.text) is not None),
        float(text.sentence.is_heading),
        float(text.text.rstrip("”\"’'").endswith("?")),
        float(text.leads),
        min(1.0, len(text.tokens) / 25),
    )


def _article_coverage(
    query: Query, articles: NDArray[np.int64], library: Library
) -> NDArray[np.float32]:
    """Give the coverage of the question by each candidate's whole article, shape (n,)."""
    import numpy as np

    covered = np.zeros(len(articles), dtype=np.float32)
    for stem in query.stems:
        held = _having(stem, articles, library)
        for name in query.also.get(stem, ()):
            held |= np.all([_having(part, articles, library) for part in name], axis=0)
        covered += query.weights[stem] * held
    return covered / (sum(query.weights.values()) or 1.0)


def _settings(query: Query, articles: NDArray[np.int64], library: Library) -> list[frozenset[str]]:
    """Give the words of the question's setting that each candidate's article has."""
    held = {stem: _having(stem, articles, library) for stem in sorted(query.setting)}
    return [
        frozenset(stem for stem, having in held.items() if having[i]) for i in range(len(articles))
    ]


def _having(stem: str, articles: NDArray[np.int64], library: Library) -> NDArray[np.bool_]:
    """Tell which of some articles have a stem in any of their passages, shape (n,)."""
    import numpy as np

    asked, which = np.unique(articles, return_inverse=True)
    begins = np.searchsorted(library.passage_articles, asked)
    counts = np.searchsorted(library.passage_articles, asked, side="right") - begins
    firsts = np.cumsum(counts) - counts
    passages = np.repeat(begins - firsts, counts) + np.arange(counts.sum())
    having = library.passage_words.having(stem, passages)
    return np.logical_or.reduceat(having, firsts)[which]


def _phrase(query: Query, places: Mapping[str, Sequence[int]]) -> float:
    """Give the share of neighbouring words of the question that are neighbours here too."""
    pairs = list(pairwise(query.stems))
    if not pairs:
        return float(all(stem in places for stem in query.stems))
    weights = [query.weights[a] + query.weights[b] for a, b in pairs]
    held = [
        weight
        for (a, b), weight in zip(pairs, weights, strict=True)
        if any(0 < y - x <= 3 for x in places.get(a, ()) for y in places.get(b, ()))  # noqa: PLR2004 - two words between
    ]
    return sum(held) / (sum(weights) or 1.0)


def _order(query: Query, places: Mapping[str, Sequence[int]]) -> float:
    """Give 1 where the question's words stand in its order, -1 where they are reversed."""
    met = [places[stem][0] for stem in query.stems if stem in places]
    steps = [1 if b > a else -1 for a, b in pairwise(met)]
    return sum(steps) / len(steps) if steps else 0.0


def _kind(query: Query, text: _Text) -> tuple[float, float]:
    """Tell how surely a text holds what the question asks for, anywhere and near its words."""
    if query.kind is None:
        return 0.5, 0.5
    own = [i for i, token in enumerate(text.tokens) if token.stem in query.weights]
    starts = [token.start for token in text.tokens]
    anywhere = near = 0.0
    for pattern, sureness in _KINDS[query.kind]:
        for match in pattern.finditer(text.text):
            inside = [i for i, at in enumerate(starts) if match.start() <= at < match.end()]
            if query.kind in ("person", "place") and any(i in own for i in inside):
                continue
            if query.kind == "person" and not any(_may_be_a_person(text, i) for i in inside):
                continue
            anywhere = max(anywhere, sureness)
            if query.counted:
                near = max(near, sureness * _counts(query, text, inside))
                continue
            apart = min((abs(i - j) for i in inside for j in own), default=_NEAR + 1)
            if apart <= _NEAR:
                near = max(near, sureness * (1.0 - 0.2 * max(0, apart - 1)))
    return anywhere, near


def _may_be_a_person(text: _Text, place: int) -> bool:
    """Tell a name from a pronoun, an abbreviation and a country."""
    token = text.tokens[place]
    written = text.text[token.start : token.end]
    return not (token.stem in STOP_WORDS or written.isupper() or is_listed(token.stem))


def _counts(query: Query, text: _Text, number: Sequence[int]) -> float:
    """Tell whether a number counts what the question asks the number of."""
    after = text.tokens[number[-1] + 1 : number[-1] + 4] if number else ()
    return float(any(token.stem in query.counted for token in after))


def _subject(query: Query, text: _Text) -> float:
    """Tell whether the one whose words are asked for stands first, or later, or not at all."""
    if not query.subject or not query.says:
        return 0.5
    standing = with_names(query, query.subject)
    met = [text.places[stem][0] for stem in standing if stem in text.places]
    if not met:
        return 0.3 if any(stands(query, stem, text.near) for stem in query.subject) else 0.0
    capitals = sum(text.text[token.start].isupper() for token in text.tokens[: min(met)])
    return 1.0 if capitals <= 2 else 0.6  # noqa: PLR2004 - a title and a place may stand before
