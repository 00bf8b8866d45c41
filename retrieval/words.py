"""How a text is cut into words, and by what words are compared: all that knows PyStemmer.

Decisions of this module:

* A word is a run of word characters with apostrophes inside it. It is compared by its stem: NFKC,
  casefold, diacritics folded («Zürich» = «Zurich»), typographic apostrophes made plain, then the
  Snowball stemmer for English.
* Irregular forms are compared as their base form («froze» = «freeze»; `irregular.json`).
* British spellings are compared as American ones («defence» = «defense»): papers mix them.
* Stop words are kept by `tokens` and left out of the index, unless they are written as acronyms are
  («LeT», «WHO»). «not», «no», «nor» and «never» are no
  stop words: they turn a statement round, and a question with one is about that. Nor are «us» and
  «may»: in the news they are the United States and a month.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import Stemmer

APOSTROPHES = "'’‘ʼ＇"
_RUN = r"\w[\w\u0300-\u036f]*"  # `\w` alone would cut a word at a combining accent
_WORD = re.compile(rf"{_RUN}(?:[{APOSTROPHES}]{_RUN})*")
_ACRONYM = re.compile(r"\w[A-Z]")
_AMERICAN = tuple(
    (re.compile(british), american)
    for british, american in (
        (r"(?<=\w{3})is(e[drs]?|ing|ations?|ers?)$", r"iz\1"),
        (r"(?<=\w{3})yse([ds]?)$", r"yze\1"),
        (r"(?<=\w{3})our(s|ed|ing|able|ite|ites|ly|al|hood|er|ers)?$", r"or\1"),
        (r"(?<=\w)(ef|ff|ic)ence(s|less)?$", r"\1ense\2"),
        (r"(?<=[a-z]{2}[bt])re(s|d)?$", r"er\1"),
        (
            (
                r"(cancel|channel|counsel|dial|equal|fuel|initial|jewel|label|level|marvel|model|panel"
                r"|pedal|quarrel|rival|shovel|signal|total|travel|tunnel)l(ed|ing|er|ers)$"
            ),
            r"\1\2",
        ),
        (r"(?<=\w{2})ogue(s)?$", r"og\1"),
        (r"^programme(s)?$", r"program\1"),
    )
)
_BRITISH = re.compile("|".join(british.pattern for british, _ in _AMERICAN))  # most words are not
_POSSESSIVE = re.compile(r"[’']s\b")
_STOP_WORDS = """
a about after again all also am an and any are as at be because been before being between both but
by can could did do does doing done down during each few for from further had has have having he her
here hers herself him himself his how i if in into is it its itself just me might more most must
my myself of off on once only or other our ours ourselves out over own same shall she should so some
such than that the their theirs them themselves then there these they this those through to too
under until up upon very was we were what when where which while who whom whose why will with
would you your yours yourself yourselves
anybody anyone anything everybody everyone everything somebody someone something
actually already else even ever exactly really still yet
it's he's she's that's there's what's who's where's how's when's why's let's i'm you're we're
they're i've you've we've they've i'd you'd he'd she'd we'd they'd i'll you'll he'll she'll we'll
they'll
"""


class Token(NamedTuple):
    """A word of a text: its stem, and the half-open range of code points it stands at.

    A tuple, since thousands are made for a question: a dataclass takes twice as long.
    """

    stem: str
    start: int
    end: int


@lru_cache(maxsize=1 << 13)  # the same sentences are candidates for question after question
def tokens(text: str) -> tuple[Token, ...]:
    """Give every word of a text, stop words too, in order."""
    return tuple(Token(_stem(match.group()), *match.span()) for match in _WORD.finditer(text))


def stems(text: str) -> list[str]:
    """Give the stems of a text in order, stop words left out: what is indexed."""
    found = []
    for match in _WORD.finditer(text):  # not by `content`: a token for each word costs twice this
        stem = _stem(match.group())
        if stem not in STOP_WORDS or _ACRONYM.search(match.group()):
            found.append(stem)
    return found


def spelled(text: str) -> list[str]:
    """Give every word of a text as it is spelled, casefolded, in order."""
    return [match.group().casefold() for match in _WORD.finditer(text)]


def content(text: str) -> list[Token]:
    """Give the words of a text that tell something, in order: all but its stop words."""
    return [
        token
        for token in tokens(text)
        if token.stem not in STOP_WORDS or _ACRONYM.search(text, token.start, token.end)
    ]


def content_stems(text: str) -> tuple[str, ...]:
    """Give the stems of the words that tell something, without a possessive's «s»."""
    return tuple(token.stem for token in content(_POSSESSIVE.sub("", text)))


@cache
def _stemmer() -> Stemmer.Stemmer:
    import Stemmer

    return Stemmer.Stemmer("english")


@lru_cache(maxsize=1 << 17)
def _stem(word: str) -> str:
    plain = word.lower() if word.isascii() else _plain(word)
    base = _irregular().get(plain, plain)
    if _BRITISH.search(base):
        for british, american in _AMERICAN:
            base = british.sub(american, base)
    return str(_stemmer().stemWord(base))


def _plain(word: str) -> str:
    """Fold compatibility forms, capitals, apostrophes and diacritics."""
    folded = unicodedata.normalize("NFKC", word).casefold()
    plain = "".join("'" if letter in APOSTROPHES else letter for letter in folded)
    bare = "".join(
        letter
        for letter in unicodedata.normalize("NFD", plain)
        if not unicodedata.combining(letter)
    )
    return bare or plain


@cache
def _irregular() -> Mapping[str, str]:
    """Give the base form of each irregular form."""
    text = resources.files("retrieval").joinpath("irregular.json").read_text("utf-8")
    forms: dict[str, str] = json.loads(text)["forms"]
    return forms


STOP_WORDS = frozenset(_stem(word) for word in _STOP_WORDS.split())
