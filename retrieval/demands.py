"""What a question demands of the sentence that answers it, beyond its words.

A sentence that shares all words with a question may still not answer it: it mentions a minister and
does not name him, speaks of visas and does not count them, of the past and not of what will come.
Such demands can be read off a question; where no good candidate meets them, the articles do not
say (`calibration.py`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.datatypes import Sentence
from retrieval.library import Library
from retrieval.offices import holders
from retrieval.questions import PEOPLE, Query, coverage
from retrieval.roles import Roles, is_office, roles_of, speaks
from retrieval.words import content_stems, stems, tokens

NO_DEMAND = 0.5  # what every sentence gets where nothing is demanded

_OFFICE = re.compile(
    r"\s*(?:who(?:['’]s| is| was| are)|what(?:['’]s| is| was) the name of)\s+"
    r"(?P<office>(?:(?!\b(?:who|that|which|to|in|at|by|behind|and|or)\b)[^,;?]){3,70})\??\s*$",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d[\d.,]*|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|forty"
    r"|fifty|sixty|eighty|ninety|dozens?|hundreds?|thousands?|millions?|billions?|half|none|several"
    r"|no|both|many|some|few",
    re.IGNORECASE,
)
_INEXACT = frozenset({"some", "several", "many", "few", "both", "no"})
_COUNTED_WITHIN = 3  # words from a number to what it counts

_DAY = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r" \d{1,2}\b|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day\b"
)

_AHEAD = re.compile(r"^\W*(?:(?:who|when|where)\b[^,;?]{0,40}?\s)?will\b", re.IGNORECASE)
_TO_COME = re.compile(
    r"\b(?:will|would|shall|going to|plans?|planned|expect(?:ed|s)?|set to|due|scheduled|likely"
    r"|next|upcoming|imminent|intends?|considers|aims?|hopes?|pledged|vowed|promised|by 20\d\d)\b",
    re.IGNORECASE,
)
_MEASURES = (
    (
        re.compile(r"\bhow long\b", re.IGNORECASE),
        re.compile(
            r"\b(?:second|minute|hour|day|week|month|year|decade|met(?:er|re)|mile|yard)s?\b"
            r"|\bcentur(?:y|ies)\b|\bkilomet(?:er|re)s?\b|\d ?(?:k?m|ft|min)\b|\bfeet\b"
            r"|\b(?:since|until|till)\b",
            re.IGNORECASE,
        ),
    ),
    (
        re.compile(r"\bhow old\b|\bwhat age\b", re.IGNORECASE),
        re.compile(
            r"\b(?:years?|months?|age[ds]?|born)\b|, \d{1,3},|\b(?:1\d|20)\d\d\b", re.IGNORECASE
        ),
    ),
    (
        re.compile(r"\bwhat time\b", re.IGNORECASE),
        re.compile(
            r"\d ?[ap]\.?m\b|\d:\d\d|\b(?:noon|midnight|dawn|dusk|morning|afternoon|evening|night)"
            r"|\bo['’]clock\b|\bhours\b",
            re.IGNORECASE,
        ),
    ),
)
_MEASURING = frozenset(stems("how many much long old age time"))
_TOPIC = re.compile(
    r"\b(?:say|said|says|tell|told|think|comment|write|wrote|tweet|tweeted|post|posted|announce"
    r"|ask)\b[^,;?]{0,50}?\b(?:about|regarding|concerning)\s+(?P<topic>[^,;?]+)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What the sentence that answers has to show; what is empty is not demanded.

    Attributes:
        roles: Who is to speak, and to whom.
        office: Stems of the office whose holder is to be named.
        counted: Stems of what is to be counted.
        ahead: It has to be about what is yet to come.
        topic: Stems of what somebody is to have spoken about.
        measure: What a length, an age or an hour looks like, where one is asked for.
    """

    roles: Roles | None = None
    office: tuple[str, ...] = ()
    counted: frozenset[str] = frozenset()
    ahead: bool = False
    topic: tuple[str, ...] = ()
    measure: re.Pattern[str] | None = None


def demand_of(query: Query) -> Demand:
    """Read off a question what it demands."""
    text = query.resolved.text
    return Demand(
        roles=roles_of(text),
        office=_office(text),
        counted=query.counted,
        ahead=_AHEAD.search(text) is not None,
        topic=_topic(text),
        measure=next((shape for asked, shape in _MEASURES if asked.search(text)), None),
    )


def shown(
    demand: Demand, query: Query, sentence: Sentence, library: Library
) -> tuple[float, float]:
    """Tell how well a sentence shows what is demanded.

    Returns:
        For who speaks, and for all else together: each in [0, 1], `NO_DEMAND` without a demand.
    """
    said = NO_DEMAND
    if demand.roles is not None:
        said = speaks(demand.roles, query, sentence, library)
    others = []
    if demand.office:
        others.append(max(holders(demand.office, query, sentence.text).values(), default=0.0))
    if demand.counted:
        others.append(float(_counts(demand.counted, query, sentence.text)))
    if demand.measure:
        measures = demand.measure.search(sentence.text) is not None
        others.append(float(measures and _is_of_it(query, frozenset(), sentence.text)))
    if demand.ahead:
        others.append(float(_looks_ahead(query, sentence.text)))
    if demand.topic:
        others.append(float(_is_about(demand.topic, query, sentence, library)))
    return said, min(others, default=NO_DEMAND)


def told(demand: Demand, query: Query, text: str) -> frozenset[str]:
    """Give the short answers that a text may hold: who holds the office, how many, which day."""
    found = {*_numbers(demand.counted, text) - _INEXACT}
    if demand.office:
        found.update(holders(demand.office, query, text))
    if query.kind == "time":
        found.update(day[0].lower() for day in _DAY.finditer(text))
    return frozenset(found)


def _office(text: str) -> tuple[str, ...]:
    asked = _OFFICE.match(text)
    found = content_stems(asked["office"]) if asked else ()
    return found if len(found) > 1 and any(map(is_office, found)) else ()


def _topic(text: str) -> tuple[str, ...]:
    asked = _TOPIC.search(text)
    return content_stems(asked["topic"]) if asked else ()


def _numbers(counted: frozenset[str], text: str) -> frozenset[str]:
    """Give the numbers that stand before what is to be counted, as they are written."""
    found = tokens(text)
    numbers = (
        text[number.start : number.end].lower()
        for place, token in enumerate(found)
        if token.stem in counted
        for number in found[max(0, place - _COUNTED_WITHIN) : place]
    )
    return frozenset(number for number in numbers if _NUMBER.fullmatch(number))


def _counts(counted: frozenset[str], query: Query, text: str) -> bool:
    """Tell whether a text has a number of what is to be counted.

    People are counted in more ways than one: «26 civilians were killed» does not say how many were
    injured.
    """
    are_people = not counted.isdisjoint(PEOPLE.union(query.names))
    if are_people and not _is_of_it(query, counted, text):
        return False
    return bool(_numbers(counted, text))


def _is_of_it(query: Query, counted: frozenset[str], text: str) -> bool:
    """Tell whether a text has half of what is asked beside a number."""
    held = frozenset(token.stem for token in tokens(text))
    beside = [stem for stem in query.stems if stem not in counted | _MEASURING]
    asked = [stem for stem in beside if stem not in query.names] or beside
    return not asked or coverage(query, asked, held) >= 1 / 2


def _looks_ahead(query: Query, text: str) -> bool:
    """Tell whether a sentence speaks of the future, and of what is asked rather than of whom."""
    held = frozenset(token.stem for token in tokens(text))
    asked = [stem for stem in query.stems if stem not in query.names] or query.stems
    return _TO_COME.search(text) is not None and coverage(query, asked, held) >= 1 / 2


def _is_about(topic: Sequence[str], query: Query, sentence: Sentence, library: Library) -> bool:
    """Tell whether a sentence, with the one before it, has a third of a topic's words."""
    first = library.rows_of(sentence.article).start
    rows = range(max(first, sentence.row - 1), sentence.row + 1)
    held = frozenset(token.stem for row in rows for token in tokens(library.sentences[row].text))
    return coverage(query, topic, held) >= 1 / 3
