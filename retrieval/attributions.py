"""Who says it, by the words of one stretch of narrative: «Rubio told Sharif that ...».

Decision: rules over the words that stand next to a verb of saying, no parser. A stretch gives a
speaker only if a name or a role is its grammatical subject by one of a few plain patterns; in doubt
it gives none. Quotations are masked before (`speech.py`), so what is said inside one never counts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from retrieval.datatypes import Span

CUE_VERBS = frozenset(
    {"said", "says", "told", "tells", "added", "adds", "stated", "tweeted", "posted", "wrote"}
    | {"writes", "asked", "asks", "warned", "warns", "announced", "announces", "reported", "shared"}
    | {"noted", "stressed", "emphasised", "emphasized", "declared", "claimed", "explained"}
    | {"insisted", "argued", "replied", "conveyed", "confirmed", "indicated", "alleged", "admitted"}
    | {"acknowledged", "remarked", "recalled", "reiterated", "commented", "concluded", "revealed"}
    | {"disclosed", "responded", "testified", "pledged", "vowed", "predicted", "estimated"}
    | {"issued a statement", "pointed out"}
)
ROLES = frozenset(
    {"administration", "agency", "ambassador", "analyst", "analysts", "army", "authorities", "bank"}
    | {"broadcaster", "chairman", "chief", "commission", "commissioner", "committee", "company"}
    | {"council", "court", "department", "director", "economist", "embassy", "governor", "expert"}
    | {
        "experts",
        "government",
        "group",
        "judge",
        "lawyer",
        "leader",
        "leaders",
        "mayor",
        "military",
    }
    | {"minister", "ministers", "ministry", "newspaper", "office", "officer", "official", "police"}
    | {"officials", "organisation", "organization", "party", "president", "prosecutor", "report"}
    | {"prosecutors", "researchers", "scientists", "secretary", "senator", "source", "sources"}
    | {"spokesman", "spokesperson", "spokeswoman", "statement", "study", "traders", "union"}
    | {"witness", "witnesses"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who says something: the words that name them; a pronoun names nobody yet."""

    span: Span
    is_pronoun: bool = False
    is_role: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A subject and the words that make it a speaker."""

    subject: Subject
    cue: Span | None = None
    reported_by: "Saying | None" = None


_VERB = re.compile(r"\b(?:" + "|".join(sorted(CUE_VERBS, key=len, reverse=True)) + r")\b")
_ACCORDING = re.compile(r"\b[Aa]ccording\s+to\b")
_AS_SAYING = re.compile(r"\b(?P<cue>quoted)\s+(?P<who>[^,.;:]{2,80}?)\s+as\s+saying\b")
_QUOTED_AS = re.compile(r"\b(?:was|were|is|been)\s+(?P<cue>quoted)\b[^.]{0,60}?\bas\s+saying\b")
_REMARKS = re.compile(
    r"\b(?P<cue>relayed|conveyed|cited)\s+(?P<who>[^,.;:]{2,60}?)[’']s\s+"
    r"(?:remarks|statement|comments|words|message)\b"
)
_BARE_CLAUSE = frozenset({"said", "says"})  # «said it supports»: no «that» is needed
_THAT = re.compile(r"(?:\s+[^\s,.;:!?]+){0,7}?,?\s+that\b")
_SUBORDINATE = re.compile(r"\b(?:[Aa]fter|[Bb]efore|[Ww]hen|[Ii]f|which|that|because|since|what)\b")
_OTHER_CLAUSE = re.compile(r";|,\s+(?:but|while|and|as|although|though)\b")
_ENDS_SENTENCE = re.compile(r"(?:\s+(?:on|in|at|to|during|late)\b[^,.;:]{1,50})?[\s.!?…]*$")
_HEADING = re.compile(r"\s*(?P<who>[^:]{2,80}?)(?:\s+to\s+[^:]{2,60})?:\s*$")

_DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_FILLER = re.compile(
    rf"(?:^|\s+)(?:\w+ly|also|further|later|then|earlier|meanwhile|again|once|now|still|even|has|"
    rf"have|had|today|yesterday|too|(?:late\s+|early\s+)?(?:on\s+)?{_DAY}"
    r"(?:\s+(?:morning|afternoon|evening|night))?)$"
)
_ASIDE_WORDS = (
    "in on at during while when after before amid as by for from with who whose which meanwhile "
    "however also speaking addressing referring citing too though although"
)
_PREPOSITION_WORDS = "of in at for from with to near between on against by about"
_OTHER_CAPITALS = (  # capitalised at the start of a sentence, or never part of a name
    "On In After When As At The A An But And While Earlier Meanwhile However Later If That This "
    "For By During Since Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February "
    "March April June July August September October November December According He She It They "
    "His Her Its Their With Before Amid Although Though Yet So Also Both You I We There What Who"
)
_OFFICE_WORDS = (
    "Secretary Minister President Spokesperson Spokesman Spokeswoman Ambassador Chairman Governor "
    "Senator Chancellor Premier Director General Commissioner Chief"
)
_ASIDES = frozenset(_ASIDE_WORDS.split())
_PREPOSITIONS = frozenset(_PREPOSITION_WORDS.split())
_NO_NAMES = frozenset(_OTHER_CAPITALS.split())
_OFFICES = frozenset(_OFFICE_WORDS.split())
_ARTICLES = frozenset({"the", "a", "an"})
_OWNERS = frozenset({"its", "his", "her", "their"})
_TITLES = frozenset({"Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "St.", "Gen.", "Sen.", "Gov.", "Lt."})
_ISSUED = frozenset({"statement", "report", "post", "letter", "message", "release", "remarks"})
_FIRST_CLAUSE_LIMIT = 30  # characters between a comma and «, the report added»
_INITIALS = re.compile(r"(?:\w\.)+")
_WORD = re.compile(r"\S+")
_STOP = re.compile(r"[,;:!?()“”\"«»\n\r\0]|(?<![A-Z])(?<!\b(?:Mr|Ms|Dr|St))(?<!\bMrs)\.(?=\s|$)")


def said_before(text: str, start: int, quotation: int) -> Saying | None:
    """Find who opens a quotation that begins at a place, in what its sentence says before it."""
    for verb in reversed(list(_VERB.finditer(text, start, quotation))):
        between = text[verb.end() : quotation]
        leads = re.search(r"^\s*$|[,:]\s*$|\bthat\b", between) or verb[0] in _BARE_CLAUSE
        if not leads or _OTHER_CLAUSE.search(between):
            continue
        if subject := _subject_before(text, start, verb.start()):
            return _reported(text, start, quotation, Saying(subject=subject, cue=_span(verb)))
    heading = _HEADING.fullmatch(text, start, quotation)
    if heading and (subject := _noun_phrase(text, start, heading.end("who"))):
        return None if subject.is_role or subject.is_pronoun else Saying(subject=subject)
    return None


def said_after(text: str, quotation: int, end: int) -> Saying | None:
    """Find who is named after a quotation that ends at a place: «...,” Rubio said»."""
    if relayed := _relayed(text, quotation, end):
        return relayed
    verb = _VERB.search(text, quotation, min(end, quotation + 200))
    before = text[quotation : verb.start()] if verb else ""
    if not verb or re.match(r"[\s,]*(?:and|but|while|as|which|who)\b", before):
        return None
    if before.strip(" ,\n\r\t"):
        subject = _subject_before(text, quotation, verb.start())
    else:
        subject = _subject_after(text, verb.end(), end)
    if subject is None:
        return None
    return _reported(text, quotation, end, Saying(subject=subject, cue=_span(verb)))


def said_within(text: str, start: int, end: int) -> Saying | None:
    """Find who says a sentence by indirect speech: «X said that ...», «according to X»."""
    if relayed := _relayed(text, start, end):
        return relayed
    inner: Saying | None = None
    for verb in _VERB.finditer(text, start, end):
        subject = _subject_before(text, start, verb.start())
        if subject is None:
            continue
        saying = Saying(subject=subject, cue=_span(verb))
        if _closes_sentence(text, start, verb, subject, end):  # «..., the report added.»: of it all
            return _reported(text, start, end, saying)
        clause = text[start : subject.span.start].rpartition(",")[2]
        takes_clause = verb[0] in _BARE_CLAUSE or _THAT.match(text, verb.end(), end)
        if takes_clause and not inner and not _SUBORDINATE.search(clause):
            inner = saying
    return _reported(text, start, end, inner) if inner else _according(text, start, end)


def subjects(text: str, start: int, end: int) -> Iterator[Subject]:
    """Give the names that a sentence is about, most likely first, to resolve «he» after it."""
    for verb in _VERB.finditer(text, start, end):
        if subject := _subject_before(text, start, verb.start()):
            yield subject
    first = _WORD.search(text, start, end)
    comma = text.find(",", start, end)
    if first and first[0] in _NO_NAMES and comma > 0:
        start = comma + 1
    if subject := _subject_after(text, start, end):
        yield subject


def _closes_sentence(
    text: str, start: int, verb: re.Match[str], subject: Subject, end: int
) -> bool:
    before = text[start : subject.span.start]
    near_comma = "," in before and len(before.rpartition(",")[2]) < _FIRST_CLAUSE_LIMIT
    return near_comma and bool(_ENDS_SENTENCE.match(text[verb.end() : end]))


def _relayed(text: str, start: int, end: int) -> Saying | None:
    """Find words passed on: «the ministry quoted Singh as saying», «relayed Singh’s remarks»."""
    for pattern in (_AS_SAYING, _REMARKS):
        found = pattern.search(text, start, end)
        subject = _noun_phrase(text, found.start("who"), found.end("who")) if found else None
        if found and subject:
            reporter = _subject_before(text, start, found.start())
            cue = Span(start=found.start("cue"), end=found.end("cue"))
            by = Saying(subject=reporter, cue=cue) if reporter else None
            return Saying(subject=subject, cue=cue, reported_by=by)
    if found := _QUOTED_AS.search(text, start, end):
        subject = _subject_before(text, start, found.start())
        cue = Span(start=found.start("cue"), end=found.end("cue"))
        return Saying(subject=subject, cue=cue) if subject else None
    return None


def _reported(text: str, start: int, end: int, saying: Saying) -> Saying:
    """Add who reports it: «According to the MoD, Singh added ...»."""
    by = _according(text, start, end)
    if by is None or by.subject == saying.subject:
        return saying
    return Saying(subject=saying.subject, cue=saying.cue, reported_by=by)


def _according(text: str, start: int, end: int) -> Saying | None:
    found = _ACCORDING.search(text, start, end)
    if not found:
        return None
    stop = _STOP.search(text, found.end(), end)
    subject = _noun_phrase(text, found.end(), stop.start() if stop else end)
    return Saying(subject=subject, cue=_span(found)) if subject else None


def _subject_before(text: str, start: int, verb: int) -> Subject | None:
    """Find the subject of a verb to the left of it, over adverbs, days and asides."""
    end = _without_fillers(text, start, verb)
    if text[start:end].endswith(","):
        # «Rubio, in a call with Sharif, said»: the subject stands before the aside, not in it.
        pieces = text[start : end - 1].split(",")
        end -= 1
        if not _is_aside(pieces):
            return None
        while _is_aside(pieces):
            end -= len(pieces.pop()) + 1
        end = _without_fillers(text, start, end)
    return _noun_phrase(text, start, end)


def _is_aside(pieces: list[str]) -> bool:
    """Tell whether the last of the pieces between commas is put in: «Rubio, meanwhile, said»."""
    words = pieces[-1].split(maxsplit=1)
    if len(pieces) == 1 or not words:
        return False
    if words[0] not in _ARTICLES:
        return words[0] in _ASIDES or words[0].endswith("ly")
    before = pieces[-2].split()  # «Jaishankar, the foreign minister, said», not «In May, the US»
    return bool(before) and before[0].lower() not in _ASIDES and _is_name(before[-1])


def _without_fillers(text: str, start: int, end: int) -> int:
    words = text[start:end].rstrip()
    while found := _FILLER.search(words):
        words = words[: found.start()].rstrip()
    return start + len(words)


def _subject_after(text: str, start: int, end: int) -> Subject | None:
    """Find the noun phrase that begins at a place: «said US Secretary of State Marco Rubio on»."""
    stop = _STOP.search(text, start, min(end, start + 120))
    limit = stop.start() if stop else min(end, start + 120)
    last = start
    for word in _WORD.finditer(text, start, limit):
        is_name = word[0][0].isupper() and not word[0].endswith(("’s", "'s"))
        if is_name or word[0] in ROLES:
            last = word.end()
        elif last > start and word[0] != "of" and not _goes_on_to_name(text, word.end(), limit):
            break
    return _noun_phrase(text, start, last)


def _goes_on_to_name(text: str, start: int, end: int) -> bool:
    following = _WORD.search(text, start, end)
    return following is not None and following[0] in ROLES


def _noun_phrase(text: str, start: int, end: int) -> Subject | None:
    """Read the name, role or pronoun that ends at a place."""
    words = list(_WORD.finditer(text, start, end))[-14:]
    if words and re.fullmatch(r"\([A-Z][\w.&-]*\)", words[-1][0]):
        words.pop()  # «(MoD)»
    if not words:
        return None
    last = words[-1][0]
    if last in {"he", "she", "He", "She"}:
        return Subject(span=_span(words[-1]), is_pronoun=True)
    first = _name_start(words) if _is_name(last) else _role_start(words)
    if first is None:
        return None
    span = Span(start=words[first].start(), end=words[-1].end())
    before = words[:first]
    while before and before[-1][0].endswith(("’s", "'s", "s’", "s'")):
        before.pop()  # whose it is: «West Midlands Police’s»
        while before and _is_name(before[-1][0]):
            before.pop()
    while before and before[-1][0].lower() in _ARTICLES | _OWNERS:
        before.pop()
    if before and before[-1][0] in _PREPOSITIONS and len(before) > 1:
        return _head_of(before, span)
    return Subject(span=span, is_role=not _is_name(last))


def _head_of(before: list[re.Match[str]], inner: Span) -> Subject | None:
    """Tell whose words «a statement by Bruce», «a spokesman for the ministry» are."""
    head = before[-2][0]
    if head.lower() in _ISSUED and before[-1][0] in {"by", "from"}:
        return Subject(span=inner)
    is_office = len(before) > 2 and _is_name(head) and _is_name(before[-3][0])  # noqa: PLR2004
    if head.lower() in ROLES and not is_office:
        return Subject(span=Span(start=before[-2].start(), end=inner.end), is_role=True)
    if _is_name(head):
        first = _name_start(before[:-1])
        if first is not None:
            return Subject(span=Span(start=before[first].start(), end=before[-2].end()))
    return None


def _is_name(word: str) -> bool:
    return word[0].isupper() and word not in _NO_NAMES and word[-1] not in ",;:!?’'\")]"


def _name_start(words: list[re.Match[str]]) -> int | None:
    """Find where the name that ends the words begins, without the offices before it."""
    texts = [word[0] for word in words]
    first = len(texts) - 1
    if texts[first].endswith(("’s", "'s")):
        return None
    while first > 0:
        before = texts[first - 1]
        joins = before in {"of", "and", "de", "bin", "van", "von"} and first > 1
        if _is_name(before) and not before.endswith(("’s", "'s")):
            if before.endswith(".") and not (before in _TITLES or _INITIALS.fullmatch(before)):
                break
            first -= 1
        elif joins and _is_name(texts[first - 2]) and not texts[first - 2].endswith(("’s", "'s")):
            first -= 2
        else:
            break
    return first if "and" in texts[first:] else _after_office(texts, first)


def _after_office(texts: list[str], first: int) -> int:
    offices = [at for at in range(first, len(texts)) if texts[at] in _OFFICES]
    if not offices:
        return first
    after = offices[-1] + 1
    if texts[after : after + 1] == ["of"]:
        after += 2
    return after if after < len(texts) else first


def _role_start(words: list[re.Match[str]]) -> int | None:
    texts = [word[0] for word in words]
    at = len(texts) - 1
    for back in (2, 3):  # «ministry of defence», «ministry of external affairs»
        if len(texts) > back and texts[-back] == "of" and texts[-back - 1].lower() in ROLES:
            return len(texts) - back - 1
    if texts[at] not in ROLES:
        return None
    for first in range(at, max(-1, at - 4), -1):
        if first == 0 or texts[first - 1].lower() in _ARTICLES | _OWNERS:
            return first
        if texts[first - 1].endswith(("’s", "'s", ",", ";", ":", "and")):
            return first
    return at


def _span(found: re.Match[str]) -> Span:
    return Span(start=found.start(), end=found.end())
