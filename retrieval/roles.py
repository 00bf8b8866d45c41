"""Who speaks to whom, in a question and in a sentence.

Words and vectors can not tell «Rubio told Sharif» from «Sharif told Rubio». Who is named only as
the object of what others do («in his call with Jaishankar, Rubio said») does not speak there. A
sentence is read with those before it, for «he», «the secretary» and «the call».
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from retrieval.attributions import ROLES
from retrieval.datatypes import Sentence
from retrieval.library import Library
from retrieval.questions import Query, stands, with_names
from retrieval.speech import speaker_of
from retrieval.words import Token, content, stems, tokens

# How sure it is that the one who is asked about speaks. The values are guesses; what they are worth
# is fitted.
_NAMED_AS_OBJECT, _ABSENT, _NAMED_BEFORE, _PERHAPS, _PRONOUN, _SPEAKS = 0.0, 0.2, 0.4, 0.5, 0.6, 1.0
# By what that is multiplied if the one spoken to is named before, nowhere near, or is another.
_TO_HIM_BEFORE, _TO_NOBODY, _TO_ANOTHER = 0.9, 0.5, 0.2

_BESIDE = 60  # characters in which the words beside an office are looked for
BACK = 5  # sentences that are read for who talks with whom

_TELLING = (
    r"(?:(?:tell|ask|urge|encourage|inform|warn|assure|advise|thank|remind|press|promise)(?:e?d)?"
    r"|told|call(?:ed)? on|(?:say|said|convey(?:ed)?|express(?:ed)?|reply|replied|respond(?:ed)?"
    r"|write|wrote|speak|spoke|talk(?:ed)?) to)"
)
_SAYING = (
    r"(?:say|said|(?:state|add|claim|announce|warn|stress|post|tweet|convey|express|emphasi[sz]e"
    r"|reaffirm|reiterate|condemn|underline|demand)(?:e?d)?|write|wrote|call(?:ed)? for)"
)
_ASKED = r"\b(?:did|does|do|has|have|had)\s+(?P<who>[^,;?]{2,60}?)\s+(?:also\s+|then\s+)?"
_TO_WHOM = re.compile(rf"{_ASKED}{_TELLING}\s+(?:of\s+)?(?P<whom>[^,;?]+)", re.IGNORECASE)
_WHO_SAYS = re.compile(rf"{_ASKED}{_SAYING}\b", re.IGNORECASE)
_ASKS_TO = re.compile(rf"\b{_TELLING}\s+(?P<whom>[^,;:“”\"]{{1,40}}?)\s+to\b", re.IGNORECASE)
_OTHER_QUESTION = re.compile(r"\b(?:why|when|where|who|how)\b|\bwhich day\b", re.IGNORECASE)
_ENDS_WHOM = re.compile(
    r"\b(?:about|on|in|at|to|that|when|after|before|during|over|for|if|how|as|by|and"
    r"|(?<!ecretary )(?<!inister )(?<!resident )of)\b"
)
_NAME = 3  # words of a name that are looked for

_OFFICES = frozenset(
    stems(
        "minister president secretary spokesperson spokesman spokeswoman ambassador chairman"
        " governor mayor chancellor premier senator chief leader head king queen pope judge"
        " commissioner prosecutor envoy eam pm secdef secstate fm nsa ceo vp potus"
    )
)
# What may stand between a name and the word that makes its bearer the object.
_STYLE_WORDS = """
prime foreign external affairs defence defense state home vice us uk indian then former the of and
mr mrs ms dr counterpart republic
"""
_STYLES = ROLES | frozenset(_STYLE_WORDS.split())
_OBJECT_WORDS = """
with to of between for from on about against at towards toward over told tells tell asked asks urged
urges encouraged thanked informed warned assured advised called dialled phoned rang up pressed met
calling telling urging instead implored
"""
_TAKES_OBJECT = frozenset(_OBJECT_WORDS.split())
_OWN = "remarks statement words comments post message posts tweet letter"
_OWN_WORDS = frozenset(_OWN.split())
_STANDS_FOR = re.compile(
    r"\b(?:He|She|They|Both|I|[Tt]he (?:(?P<office>(?:prime |foreign )?[Mm]inister|[Ss]ecretary"
    r"|[Pp]resident|spokes\w+)|two|leaders?|premier|official|diplomat))\b"
)
_TALK = re.compile(
    r"\b(?:(?:calls?|called|conversations?|talks|discussions?|meeting|met)\b(?: \w+){0,2}?"
    r" (?:with|between)|(?:spoke|spoken|speaks|talked)\b(?: \w+){0,2}? (?:with|to))\b|\btold\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Whom a question has speak, and to whom; stems, the name itself last."""

    who: tuple[str, ...]
    whom: tuple[str, ...] = ()


def roles_of(text: str) -> Roles | None:
    """Read off a question who is to speak («what did Rubio tell Sharif»), or None."""
    found = [_name(party) for party in parties(text)]
    if not found or not found[0]:
        return None
    return Roles(who=found[0], whom=found[1] if found[1:] else ())


def parties(text: str) -> tuple[str, ...]:
    """Give who is to speak in a question, and to whom if it says so, as it writes them."""
    told = _TO_WHOM.search(text)
    said = told or _WHO_SAYS.search(text)
    if said is None or _OTHER_QUESTION.search(text):
        return ()
    whom = [_ENDS_WHOM.split(told["whom"], maxsplit=1)[0].strip("?.! ")] if told else []
    return (said["who"], *whom)


def speaks(roles: Roles, query: Query, sentence: Sentence, library: Library) -> float:
    """Tell in [0, 1] how likely the one who is asked about speaks here, and to the one asked."""
    if _is_turned_round(roles, query, sentence):
        return _NAMED_AS_OBJECT
    before = tuple(_before(sentence, library))
    who = _says(roles.who, query, sentence, before, library)
    if not roles.whom:
        return who
    if _is_named(query, roles.whom, sentence.text):
        return _TO_ANOTHER * who if _asks_another(query, roles.whom, sentence.text) else who
    for each in before:
        if _is_named(query, roles.whom, each.text):
            return _TO_HIM_BEFORE * who
        if _TALK.search(each.text):
            return _TO_ANOTHER * who
    return _TO_NOBODY * who


def _is_turned_round(roles: Roles, query: Query, sentence: Sentence) -> bool:
    """Tell whether the one who is to be spoken to acts here, and the other is not named."""
    return (
        bool(roles.whom)
        and not _is_named(query, roles.who, sentence.text)
        and _is_named(query, roles.whom, sentence.text)
        and _acts(query, roles.whom[-1], sentence.text)
    )


def is_office(stem: str) -> bool:
    """Tell whether a word names an office that one person holds."""
    return stem in _OFFICES


def _name(text: str) -> tuple[str, ...]:
    """Give the stems of who is named, without the offices unless there is nothing else."""
    found = [token.stem for token in content(re.sub(r"[’']s\b", "", text))]
    names = [stem for stem in found if not is_office(stem)]
    return tuple(names or found)[:_NAME]


def _asks_another(query: Query, name: Sequence[str], text: str) -> bool:
    """Tell «encouraged India to work with Pakistan» from what Pakistan is encouraged to do."""
    return any(
        not _is_named(query, name, text[: found.end("whom")]) for found in _ASKS_TO.finditer(text)
    )


def _is_named(query: Query, name: Sequence[str], text: str) -> bool:
    """Tell whether a text has a name: all of its words, or the last."""
    held = frozenset(token.stem for token in tokens(text))
    return stands(query, name[-1], held) or all(stands(query, stem, held) for stem in name)


def _before(sentence: Sentence, library: Library) -> Iterator[Sentence]:
    """Give the sentences before one in its article, the nearest first."""
    first = library.rows_of(sentence.article).start
    for row in range(sentence.row - 1, max(first, sentence.row - BACK) - 1, -1):
        yield library.sentences[row]


def _says(
    who: Sequence[str],
    query: Query,
    sentence: Sentence,
    before: Sequence[Sentence],
    library: Library,
) -> float:
    stands_for = _may_stand_for(who[-1], query, sentence)
    if _is_named(query, who, sentence.text):
        if _acts(query, who[-1], sentence.text):
            return _SPEAKS
        return _PERHAPS if stands_for else _NAMED_AS_OBJECT
    rows, spans = library.rows_of(sentence.article), library.spans_of(sentence.article)
    said = speaker_of(sentence.article, spans, sentence.row - rows.start)
    if said is not None and stands(query, who[-1], frozenset(stems(said.speaker.name))):
        return _SPEAKS
    if any(_is_named(query, who, each.text) for each in before):
        return _PRONOUN if stands_for else _NAMED_BEFORE
    return _ABSENT


def _may_stand_for(stem: str, query: Query, sentence: Sentence) -> bool:
    """Tell whether a pronoun, or an office that the article gives somebody, may stand for him."""
    parts = with_names(query, (stem,))
    return any(
        found["office"] is None or _holds(sentence.article.text, found["office"].lower(), parts)
        for found in _STANDS_FOR.finditer(sentence.text)
    )


@lru_cache(maxsize=1 << 6)  # each holds on to an article
def _holds(text: str, office: str, name: frozenset[str]) -> bool:
    """Tell whether a name stands within a few words after an office, or before it, in a text."""
    for found in re.finditer(rf"\b{office}\b", text, re.IGNORECASE):
        before = text[max(0, found.start() - _BESIDE) : found.start()]
        after = text[found.end() : found.end() + _BESIDE]
        if _leads_to(name, before, tokens(before)[::-1]) or _leads_to(name, after, tokens(after)):
            return True
    return False


def _leads_to(name: frozenset[str], text: str, words: Sequence[Token]) -> bool:
    """Tell whether a name comes first among some words, but for styles and other capitals."""
    for token in words:
        word = text[token.start : token.end]
        if token.stem in name:
            return True
        if not (word[0].isupper() or word.lower() in _STYLES):
            return False
    return False


def _acts(query: Query, stem: str, text: str) -> bool:
    """Tell whether somebody is named other than as the object of what others do."""
    found = tokens(text)
    parts = with_names(query, (stem,))
    return any(
        not _is_object(query, text, found, place)
        for place, token in enumerate(found)
        if token.stem in parts
    )


def _is_object(query: Query, text: str, found: Sequence[Token], place: int) -> bool:
    """Tell «with foreign minister Cho Tae-yul» from a name that stands by itself."""
    after = _written(text, found[place + 1 : place + 2])
    if _written(text, found[place : place + 1]).endswith(("’s", "'s")):
        return after not in _OWN_WORDS  # «Singh’s remarks» are his
    at = place
    while at:
        gap = text[found[at - 1].end : found[at].start]
        word = text[found[at - 1].start : found[at - 1].end]
        if re.search(r"[^\s.@-]", gap) or ("." in gap and len(word) > 2):  # noqa: PLR2004 - «Mr.», «S.»
            return False
        if word.lower() in _TAKES_OBJECT and not _joins(text, found[:at]):
            return not (_is_urging(text, found, at, place) or _is_source(query, text, found[:at]))
        if not (word[0].isupper() or word.lower() in _STYLES):
            return False
        at -= 1
    return False


def _joins(text: str, words: Sequence[Token]) -> bool:
    """Tell the «of» of «secretary of state» from others."""
    return words[-1].stem == "of" and _written(text, words[-2:-1]) in _STYLES


def _is_urging(text: str, found: Sequence[Token], at: int, place: int) -> bool:
    """Tell «with Rubio urging peace» from «with Rubio, urging peace»: there another one urges."""
    if _written(text, found[at - 1 : at]) != "with" or place + 1 == len(found):
        return False
    after, gap = found[place + 1], text[found[place].end : found[place + 1].start]
    return gap.isspace() and text[after.start : after.end].endswith("ing")


def _is_source(query: Query, text: str, words: Sequence[Token]) -> bool:
    """Tell «according to Rubio» and «a statement from Rubio» from other objects.

    So is «condemnation from Rubio», for who asks whether he condemned.
    """
    according = "accord" in [token.stem for token in words[-6:-1]]
    if words[-1].stem == "to":
        return [token.stem for token in words[-2:-1]] == ["accord"]
    issued = any(
        _written(text, (token,)) in _OWN_WORDS or token.stem in query.stems
        for token in words[-3:-1]
    )
    return words[-1].stem in ("from", "of") and (issued or according)


def _written(text: str, words: Sequence[Token]) -> str:
    """Give the first of some words as it is written, in small letters; «» if there is none."""
    return text[words[0].start : words[0].end].lower() if words else ""
