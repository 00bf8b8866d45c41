"""What a question demands of the sentence that answers it, beyond its words.

A sentence that shares all words with a question may still not answer it: it mentions a minister and
does not name him, speaks of visas and does not count them, of the past and not of what will come.
Such demands can be read off a question; where no good candidate meets them, the articles do not
say (`calibration.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from retrieval.datatypes import Sentence
from retrieval.library import Library
from retrieval.names import is_listed
from retrieval.questions import Query, coverage, stands, with_names
from retrieval.roles import Roles, is_office, roles_of, speaks
from retrieval.words import STOP_WORDS, Token, content, tokens

NO_DEMAND = 0.5  # what every sentence gets where nothing is demanded

_OFFICE = re.compile(
    r"\s*(?:who(?:['’]s| is| was| are)|what(?:['’]s| is| was) the name of)\s+"
    r"(?P<office>(?:(?!\b(?:who|that|which|to|in|at|by|behind|and|or)\b)[^,;?]){3,70})\??\s*$",
    re.IGNORECASE,
)
_BETWEEN_PEOPLE = "and with to by but between told while where who"
_PARTS_PEOPLE = frozenset(_BETWEEN_PEOPLE.split())
_LIKELY = 0.7  # that it is this office, where its country stands elsewhere in the sentence

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
    """

    roles: Roles | None = None
    office: tuple[str, ...] = ()
    counted: frozenset[str] = frozenset()
    ahead: bool = False
    topic: tuple[str, ...] = ()


def demand_of(query: Query) -> Demand:
    """Read off a question what it demands."""
    text = query.resolved.text
    return Demand(
        roles=roles_of(text),
        office=_office(text),
        counted=query.counted,
        ahead=_AHEAD.search(text) is not None,
        topic=_topic(text),
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
        others.append(max(_holders(demand.office, query, sentence.text).values(), default=0.0))
    if demand.counted:
        others.append(float(bool(_numbers(demand.counted, sentence.text))))
    if demand.ahead:
        others.append(float(_looks_ahead(query, sentence.text)))
    if demand.topic:
        others.append(float(_is_about(demand.topic, query, sentence, library)))
    return said, min(others, default=NO_DEMAND)


def told(demand: Demand, query: Query, text: str) -> frozenset[str]:
    """Give the short answers that a text may hold: who holds the office, how many, which day."""
    found = {*_numbers(demand.counted, text) - _INEXACT}
    if demand.office:
        found.update(_holders(demand.office, query, text))
    if query.kind == "time":
        found.update(day[0].lower() for day in _DAY.finditer(text))
    return frozenset(found)


def _office(text: str) -> tuple[str, ...]:
    asked = _OFFICE.match(text)
    found = _content(asked["office"]) if asked else ()
    return found if len(found) > 1 and any(map(is_office, found)) else ()


def _topic(text: str) -> tuple[str, ...]:
    asked = _TOPIC.search(text)
    return _content(asked["topic"]) if asked else ()


def _content(text: str) -> tuple[str, ...]:
    return tuple(token.stem for token in content(re.sub(r"[’']s\b", "", text)))


def _holders(office: Sequence[str], query: Query, text: str) -> Mapping[str, float]:
    """Give the names beside the words of an office: «foreign minister Ishaq Dar».

    Returns:
        By a name's stem, how likely it is that of the holder.
    """
    found = tokens(text)
    held = frozenset(token.stem for token in found)
    countries = [stem for stem in office if is_listed(stem) and not is_office(stem)]
    asked = with_names(query, office)
    near = all(stands(query, stem, held) for stem in countries)
    bare = [stem for stem in office if stem not in countries]
    holders: dict[str, float] = {}
    for place, token in enumerate(found):
        if token.stem in asked or not _is_name(text, token):
            continue
        for words, within in ((found[:place][::-1], 2), (found[place + 1 :], 3)):
            beside = _beside(text, words)
            window = frozenset(beside[: len(office) + 4])
            if asked.isdisjoint(beside[:within]):
                continue
            other = any(is_listed(stem) and stem not in asked for stem in window)
            if all(stands(query, stem, window) for stem in office):
                holders[token.stem] = 1.0
            elif near and not other and all(stands(query, stem, window) for stem in bare):
                holders.setdefault(token.stem, _LIKELY)
    return holders


def _is_name(text: str, token: Token) -> bool:
    plain = token.stem in STOP_WORDS or is_office(token.stem) or is_listed(token.stem)
    return text[token.start].isupper() and not plain


def _beside(text: str, words: Sequence[Token]) -> list[str]:
    """Give the stems of words up to one that parts two people, in order."""
    found: list[str] = []
    for token in words:
        if text[token.start : token.end].lower() in _PARTS_PEOPLE:
            break
        found.append(token.stem)
    return found


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
