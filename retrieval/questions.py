"""Question → what to search for.

Rules, not models: what is searched can be read off the question, and every word that was added to
it is reported in `Resolved`, so that the asker can see and correct it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from retrieval.datatypes import Question, Resolved
from retrieval.english import rarity
from retrieval.errors import QuestionError
from retrieval.lexical import LexicalIndex
from retrieval.library import Library
from retrieval.names import acronyms, alternatives, is_listed, spelled_out
from retrieval.spelling import apply, correct
from retrieval.synonyms import synonyms
from retrieval.words import Token, content, stems, tokens

LONG = 18  # content words; 99 of 100 questions of the development sets have fewer
LIMIT = 4_000  # characters; a question beyond it costs 100 ms and means a pasted document

MENTIONS = 50  # sentences that are read for what an abbreviation stands for

AnswerKind = Literal["person", "time", "number", "place", "reason"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question, ready to be searched.

    Attributes:
        stems: Its distinct content stems, in order; stop words are left out.
        also: For some of `stems`, what may stand in their place: names, each as stems.
        searched: `stems`, and what stands for those of them that no article has.
        weights: How much each of `stems` tells, in (0, 1]: more for words that are rare in
            English and in the articles, less for words of asking and telling.
        names: Those of `stems` that the asker wrote like a name.
        setting: Those of `stems` that only say when («after the summit») or who tells it
            («according to Bruce»): the article has to have them, not the sentence.
        subject: Stems of whom or what the question asks about («what did Rubio say»).
        kind: What the answer must hold, as far as the question word tells.
        counted: Stems of what is to be counted («how many soldiers»), and of what stands for it.
        says: Whether it asks for what somebody says.
    """

    resolved: Resolved
    stems: tuple[str, ...]
    also: Mapping[str, tuple[tuple[str, ...], ...]]
    searched: tuple[str, ...]
    weights: Mapping[str, float]
    names: tuple[str, ...]
    setting: frozenset[str]
    subject: tuple[str, ...]
    kind: AnswerKind | None
    counted: frozenset[str]
    says: bool


_SMALLTALK = re.compile(
    r"(hi|hey|hello|hallo|good (morning|afternoon|evening|day)|thanks?|thank you|thx|cheers|bye"
    r"|ok|okay|cool|great|nice|help|who are you|how are you|what are you|how does this work"
    r"|what can (you|i) (do|ask)|how (can|do) i (use|ask) (this|you)|what do you (do|know)"
    r"|test|ping)( (there|all|everyone|clippings|bot|you|a lot|very much|so much|again))*",
)
_KINDS: tuple[tuple[re.Pattern[str], AnswerKind], ...] = (
    (re.compile(r"\bhow (many|much|old|long|far|tall|big|large|often)\b"), "number"),
    (re.compile(r"\bwhat (number|percentage|percent|share|amount|age)\b|\bdeath toll\b"), "number"),
    (re.compile(r"\bwhen\b|\b(what|which) (year|day|date|month|time)\b|\bsince when\b"), "time"),
    (re.compile(r"\bwhere\b|\b(what|which) (country|city|place|town|state|region)\b"), "place"),
    (re.compile(r"\bwho(m|se)?\b|\bname of\b|\bwhat is .{1,40} name\b"), "person"),
    (re.compile(r"\bwhy\b|\bfor what reason\b|\bwhat (caused|led|made|prompted)\b"), "reason"),
)
_ASKS = re.compile(
    r"\?|\b(what|who|whom|whose|when|where|which|why|how|whether|did|does|is there|was there)\b"
)
_CARRIER = re.compile(
    r"(?:(?:hi|hello|hey|ok|okay|so|well|please)\b[,!. ]*)*"
    r"(?:(?:can|could|would|will) you (?:please |kindly )?(?:find|show|tell|give|quote)\b(?: me)?"
    r"|i(?:['’]d| would)? (?:like|want|need) to (?:know|find out|see)|i wonder|do you know"
    r"|(?:please )?(?:tell|show|find) me)\s+"
    r"(?:the (?:place|passage|part|quote|sentence|line|bit|article)s? (?:where|in which|which says"
    r"|that says|saying)\s+)?(?:(?:if|whether)\s+)?",
    re.IGNORECASE,
)
_COUNTS = re.compile(
    r"\bhow many ((?:[\w’'-]+ ){0,2}?[\w’'-]+?s|people|men|women|children)\b", re.IGNORECASE
)
PEOPLE = frozenset(
    stems("people persons lives civilians tourists men women children victims residents dead")
)
_TOLL = re.compile(r"\bdeath toll\b", re.IGNORECASE)
_DEAD = tuple((stem,) for stem in stems("dead deaths died killed lives"))
_SAYS = re.compile(
    r"\b(say|says|said|tell|tells|told|state|stated|claim|claimed|announce|announced|ask|asked"
    r"|urge|urged|warn|warned|comment|commented|react|reaction|respond|response|statement|view"
    r"|tweet|tweeted|post|posted|write|wrote|think|convey|conveyed|stress|stressed|quote|quoted"
    r"|words)\b",
)
_SETTING = re.compile(
    r"\b(?:after|before|during|since|following|amid|ahead of|in the (?:wake|aftermath) of|prior to"
    r"|on (?=(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)|in (?=[A-Z][a-z]+ \d{4}))\b([^,;?]+)",
)
_SOURCE = re.compile(r"^\W*according to\b([^,;?]+),", re.IGNORECASE)
# Words that a question is put in rather than what it is about.
_LIGHT = frozenset(
    token.stem
    for token in tokens(
        "say says said tell tells told speak spoke talk call ask asked happen happened take took"
        " place occur name named mean means stand word words use used give gave given make made go"
        " went get got report reported reports article articles mention think know find describe"
        " people person someone thing many role kind type sort number"
    )
)
_LIGHT_SHARE = 0.4
_AUXILIARY = re.compile(
    r"\b(did|does|do|has|have|had|is|are|was|were|will|would|can|could|should|must|may|might)\b",
    re.IGNORECASE,
)
_PRONOUN = re.compile(r"\b(he|she|him|her|his|hers|they|them|their|it|its|that|this|those|there)\b")
_PERSONAL = re.compile(r"\b(he|she|they|him|her|them)\b", re.IGNORECASE)
_CONTINUES = re.compile(r"\s*(and|but|so|what about|how about|also|then|or)\b", re.IGNORECASE)
_BACKWARD = re.compile(r"\b(then|too|as well|else|again|afterwards|more)\W*$", re.IGNORECASE)


def clean(text: str) -> str:
    """Make a question safe to search: no surrogates, no control or invisible characters.

    Raises:
        QuestionError: it is longer than `LIMIT` characters.
    """
    if len(text) > LIMIT:
        raise QuestionError(
            f"the question has {len(text):,} characters; ask in at most {LIMIT:,}",
        )
    kept = (
        " " if unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn", "Zl", "Zp") else c
        for c in text
        if unicodedata.category(c) != "Cf"
    )
    return " ".join("".join(kept).split())


def is_smalltalk(text: str) -> bool:
    """Tell a greeting, thanks or a call for help from a question to the articles."""
    return _SMALLTALK.fullmatch(" ".join(re.findall(r"[a-z]+", text.lower()))) is not None


def understand(question: Question, library: Library) -> Query:
    """Read a question: what to search, in the light of the questions before it.

    Raises:
        QuestionError: it is too long.
    """
    text = clean(question.text)
    context = tuple(clean(earlier) for earlier in question.context)
    resolved = resolve(focus(text), context, library.sentence_words)
    return read(_spelled(resolved, library), library)


def read(resolved: Resolved, library: Library) -> Query:
    """Read a question that was filled in: its words, its names and what it asks for."""
    words = library.sentence_words
    lowered = resolved.text.lower()
    asked = content(resolved.text)
    found = tuple(dict.fromkeys(token.stem for token in asked))
    also = {
        **_meanings(resolved.text, asked, words),
        **_surnames(resolved.text, asked, library),
        **alternatives(resolved.text),
        **_spelled_out(resolved.text, library),
        **(dict.fromkeys(stems("death toll"), _DEAD) if _TOLL.search(resolved.text) else {}),
    }
    unknown = (stem for stem in found if not words.has(stem))
    return Query(
        resolved=resolved,
        stems=found,
        also=also,
        searched=found
        + tuple(part for stem in unknown for name in also.get(stem, ()) for part in name),
        weights=_weights(resolved.text, asked, words),
        names=_names(resolved.text, asked),
        setting=_setting(resolved.text, asked),
        subject=_subject(resolved.text, asked),
        kind=next((kind for pattern, kind in _KINDS if pattern.search(lowered)), None),
        counted=_counted(resolved.text, also),
        says=_SAYS.search(lowered) is not None,
    )


def stands(query: Query, stem: str, held: Collection[str]) -> bool:
    """Tell whether the stems of a text have one of the question, or what stands for it."""
    return stem in held or any(
        all(part in held for part in name) for name in query.also.get(stem, ())
    )


def coverage(query: Query, wanted: Sequence[str], held: Collection[str]) -> float:
    """Give the share of some stems of a question that a text has, by how much each tells."""
    total = sum(query.weights[stem] for stem in wanted)
    return sum(query.weights[stem] for stem in wanted if stands(query, stem, held)) / (total or 1.0)


def with_names(query: Query, asked: Iterable[str]) -> frozenset[str]:
    """Give some stems of a question with the parts of the names that stand for them."""
    return frozenset(
        part for stem in asked for name in ((stem,), *query.also.get(stem, ())) for part in name
    )


def focus(text: str) -> str:
    """Give the part of a question that asks; what leads up to it would drown it.

    That is the last asking sentence of a long question, without «could you find me the place
    where» and the like.
    """
    if len(content(text)) > LONG:
        parts = [part.strip() for part in re.split(r"(?<=[.;:!?])\s+", text)]
        asking = [part for part in parts if len(content(part)) >= 3 and _ASKS.search(part.lower())]  # noqa: PLR2004
        text = asking[-1] if asking else text
    carrier = _CARRIER.match(text)
    asked = text[carrier.end() :] if carrier else text
    return asked if len(content(asked)) >= 2 else text  # noqa: PLR2004 - less is no question


def without_source(text: str) -> str:
    """Leave out who is to have said it, «According to Bruce,»: he stands beside most answers."""
    return _SOURCE.sub("", text).lstrip()


def resolve(text: str, context: tuple[str, ...], words: LexicalIndex) -> Resolved:
    """Fill a follow-up question in from the questions before it.

    A question that stands on its own is left alone. A personal pronoun takes the person that the
    question before asked about first; a question that leans on the thread otherwise gets the words
    of the last question, for those kinds of word that it has none of itself.
    """
    if not context or not _leans(text, words):
        return Resolved(text=text)
    earlier = context[-1]
    for candidate in reversed(context):
        earlier = candidate
        if not _leans(candidate, words):
            break
    names = _phrases(earlier)
    own = {token.stem for token in content(text)}
    pronoun = _PERSONAL.search(text)
    if pronoun and names:
        filled = text[: pronoun.start()] + names[0] + text[pronoun.end() :]
        return Resolved(text=filled, added=(names[0],))
    known = [t for t in content(earlier) if t.stem not in own]
    added = tuple(dict.fromkeys(earlier[token.start : token.end] for token in known))
    return Resolved(text=f"{text} ({' '.join(added)})" if added else text, added=added)


def _spelled_out(text: str, library: Library) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Find what the articles themselves say that abbreviations of the question stand for."""
    found = {}
    for acronym in acronyms(text):
        (stem,) = stems(acronym)
        for row in library.sentence_words.first(stem, limit=MENTIONS):
            meaning = spelled_out(acronym, library.sentences[row].text)
            if meaning is not None:
                found[stem] = (tuple(stems(meaning)),)
                break
    return found


def _surnames(
    text: str, asked: list[Token], library: Library
) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Let a surname stand for the whole name where an article uses it alone («Ms Bruce»)."""
    found = {}
    for run in _runs(text, asked):
        *given, last = (token.stem for token in run)
        if not given or is_listed(last):
            continue
        rows = library.sentence_words.first(last, limit=MENTIONS)
        texts = (library.sentences[row].text for row in rows)
        if any(given[0] not in stems(each) for each in texts):
            found.update(dict.fromkeys(given, ((last,),)))
    return found


def _meanings(
    text: str, asked: list[Token], words: LexicalIndex
) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Let a word that no article has be said in words that articles have."""
    found = {}
    for token in asked:
        is_name = text[token.start].isupper() and token.start > 0
        if words.has(token.stem) or token.stem in _LIGHT or is_name:
            continue
        mates = tuple((mate,) for mate in synonyms(token.stem) if words.has(mate))
        if mates:
            found[token.stem] = mates
    return found


def _runs(text: str, asked: list[Token]) -> list[list[Token]]:
    """Give the runs of neighbouring words with a capital letter, as tokens."""
    runs: list[list[Token]] = []
    for token in asked:
        if not text[token.start].isupper():
            continue
        if runs and text[runs[-1][-1].end : token.start] in (" ", ". "):
            runs[-1].append(token)
        else:
            runs.append([token])
    return runs


def _spelled(resolved: Resolved, library: Library) -> Resolved:
    """Correct what is misspelled, and say so; name what stands for a word no article has."""
    corrections = correct(resolved.text, library.sentence_words, library.spellings)
    text = apply(resolved.text, corrections)
    return Resolved(text=text, added=resolved.added, spelled=corrections)


def _leans(text: str, words: LexicalIndex) -> bool:
    """Tell whether a question needs the ones before it."""
    lowered = text.lower()
    asked = content(text)
    if not asked:
        return bool(text)
    if _CONTINUES.match(text) or _BACKWARD.search(text) or _PERSONAL.search(text):
        return True
    few = sum(words.has(token.stem) for token in asked) <= 2  # noqa: PLR2004 - two words are few
    return few and (len(asked) <= 2 or _PRONOUN.search(lowered) is not None)  # noqa: PLR2004


def _phrases(text: str) -> list[str]:
    """Give runs of capitalised words, the sentence's first word aside."""
    found = []
    for match in re.finditer(r"\b[A-Z][\w’'-]*(?: [A-Z][\w’'-]*)*", text):
        phrase = re.sub(r"[’']s$", "", match[0])
        told = content(phrase)
        if told:
            found.append(phrase[told[0].start :])
    return found


def _weights(text: str, asked: list[Token], words: LexicalIndex) -> Mapping[str, float]:
    """Weigh each stem by how much it tells: in English at large, and in these articles."""
    rarest = max((words.idf(token.stem) for token in asked), default=0.0) or 1.0
    weights = {}
    for token in asked:
        here = (words.idf(token.stem) or rarest) / rarest
        weight = (rarity(text[token.start : token.end]) + 2 * here) / 3
        weights[token.stem] = weight * (_LIGHT_SHARE if token.stem in _LIGHT else 1.0)
    return weights


def _counted(text: str, also: Mapping[str, tuple[tuple[str, ...], ...]]) -> frozenset[str]:
    """Give the stems of what a question wants the number of, or nothing."""
    asks = _COUNTS.search(text)
    if _TOLL.search(text):
        return PEOPLE
    if asks is None:
        return frozenset()
    wanted = {stem for token in content(asks[1])[-1:] for stem in (token.stem,)}
    wanted |= {part for stem in wanted for name in also.get(stem, ()) for part in name}
    return frozenset(wanted | PEOPLE if wanted & PEOPLE else wanted)


def _subject(text: str, asked: list[Token]) -> tuple[str, ...]:
    """Give the stems of the capitalised run that follows the question's auxiliary verb."""
    auxiliary = _AUXILIARY.search(text)
    found: list[str] = []
    for token in asked:
        if auxiliary is None or token.start < auxiliary.end():
            continue
        if not text[token.start].isupper():
            if found:
                break
            continue
        found.append(token.stem)
    return tuple(found)


def _setting(text: str, asked: list[Token]) -> frozenset[str]:
    """Give the stems of what only says when, «after ...», or who tells it, to the next comma."""
    clauses = [match.span(1) for match in _SETTING.finditer(text) if match.start() > 0]
    clauses += [match.span(1) for match in _SOURCE.finditer(text)]
    inside = {t.stem for t in asked if any(a <= t.start < b for a, b in clauses)}
    core = {t.stem for t in asked} - inside
    return frozenset(inside) if core else frozenset()


def _names(text: str, asked: list[Token]) -> tuple[str, ...]:
    """Give the stems that the asker wrote with a capital letter (or digits within) as names."""
    return tuple(
        dict.fromkeys(
            token.stem
            for token in asked
            if text[token.start].isupper() and (token.start > 0 or text[token.start :].istitle())
        ),
    )
