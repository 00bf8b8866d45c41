"""Who holds an office, by what the articles themselves write beside it.

«What did Pakistan's prime minister say to the US secretary of state?» is asked of what Sharif says
to Rubio: articles name both once with their offices, and then alone.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain

from retrieval.library import Library
from retrieval.names import is_listed
from retrieval.questions import MENTIONS, Query, read, stands, with_names
from retrieval.roles import is_office, parties
from retrieval.words import STOP_WORDS, Token, content_stems, stems, tokens

_BETWEEN_PEOPLE = "and with to by but between told while where who"
_PARTS_PEOPLE = frozenset(_BETWEEN_PEOPLE.split())
# «S. Jaishankar» is written, and then «Jaishankar» alone.
_NAME = re.compile(r"\s+(?:[A-Z]\.?\s+)*(?P<name>[A-Z][\w-]+(?: [A-Z][\w-]+){0,3})")
_LIKELY = 0.7  # that it is this office, where its country stands elsewhere in the sentence


def name_parties(query: Query, library: Library) -> Query:
    """Name those who are to speak, or to be spoken to, where a question has their offices alone.

    The names are among what was added to the question.
    """
    text = query.resolved.text
    names: list[str] = []
    for party in parties(text):
        name = _holder(party, query, library)
        if name is not None:
            text = text.replace(party, name)
            names.append(name)
    if not names:
        return query
    added = (*query.resolved.added, *names)
    return read(replace(query.resolved, text=text, added=added), library)


def holders(office: Sequence[str], query: Query, text: str) -> Mapping[str, float]:
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


def _holder(party: str, query: Query, library: Library) -> str | None:
    """Give the name that most sentences have beside an office, the first one of several."""
    office = content_stems(party)
    held = [stem for stem in office if is_office(stem)]
    if not held or len(office) == len(held) or not all(map(is_listed, office)):
        return None
    # «PM» is «prime minister» in the articles.
    written = {held[-1], *(name[-1] for name in query.also.get(held[-1], ()))}
    mentions = (library.sentence_words.first(word, limit=MENTIONS) for word in written)
    texts = (library.sentences[row].text for row in sorted({*chain.from_iterable(mentions)}))
    found = Counter(name for text in texts for name in _names_of(office, query, text))
    return max(found, key=lambda name: found[name], default=None)


def _names_of(office: Sequence[str], query: Query, text: str) -> list[str]:
    """Give the names that stand right after the office, as they are written."""
    words, found = with_names(query, office), tokens(text)
    names: list[str] = []
    for place, token in enumerate(found):
        name = _NAME.match(text, token.end) if token.stem in words else None
        if name is None or not words.isdisjoint(stems(name["name"])):
            continue
        before = _beside(text, found[place::-1])[: len(office) + 2]
        if all(stands(query, stem, before) for stem in office):
            names.append(name["name"])
    return names
