"""Words that mean the same or are of a kind: «tourist» for holidaymaker, «staff» for personnel.

The table is made from WordNet; `wordnet/README.md` says how.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources


def synonyms(stem: str) -> Sequence[str]:
    """Give the stems that may mean the same, the likeliest first."""
    return _synonyms().get(stem, ())


@cache
def _synonyms() -> Mapping[str, Sequence[str]]:
    text = resources.files("retrieval").joinpath("synonyms.json").read_text("utf-8")
    found: dict[str, list[str]] = json.loads(text)
    return found
