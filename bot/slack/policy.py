"""Who may ask, where, and which collection a channel may see: decided before anything is searched.

A collection is a folder of articles with an index of its own, so what a channel may not see is not
there when its question is searched. What everybody in a channel can read is decided by the channel,
not by who asks. Guests and people of other companies are refused.
"""

import threading
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.config import ConfigError, Settings
from bot.slack.notices import Refusal
from bot.slack.payloads import Person

Rule = Literal["allowed", "denied"]

DIRECT = "direct"  # stands for direct messages and modals in a collection's channels
EVERY = "*"  # stands for every channel that no collection names, and for direct messages
SHARED = "shared"  # the rule of a channel that people of other companies read

_KEPT_S = 3_600.0  # how long what Slack said of a person holds
_MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A folder of articles, its index, and the channels that may see it."""

    name: str
    corpus: Path
    index: Path
    channels: frozenset[str]


def read_collections(settings: Settings) -> tuple[Collection, ...]:
    """Read the file of collections; without one, there is one collection for all channels.

    Raises:
        ConfigError: the file can not be read, or does not say what it must.
    """
    if settings.collections is None:
        everybody = frozenset({EVERY})
        return (
            Collection(
                name="articles", corpus=settings.corpus, index=settings.index, channels=everybody
            ),
        )
    try:
        tables = tomllib.loads(settings.collections.read_text("utf-8"))
        collections = tuple(_collection(name, table) for name, table in tables.items())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"the collections can not be read: {settings.collections}: {error}. See README.md for "
            "what the file must say, or unset CLIPPINGS_COLLECTIONS"
        ) from None
    _check(collections, settings.collections)
    return collections


def collection_of(collections: Iterable[Collection], channel: str) -> Collection | None:
    """Give the one collection that a channel may see; "" is a modal, which has no channel."""
    named = {name: one for one in collections for name in one.channels}
    kind = DIRECT if not channel or channel.startswith("D") else EVERY
    return named.get(channel) or named.get(kind) or named.get(EVERY)


def refusal_of(person: Person, *, channel: str, rule: str | None, default: Rule) -> Refusal | None:
    """Say why somebody may not ask in a channel; None where they may.

    Args:
        rule: What is kept for the channel: a `Rule`, SHARED or nothing.
        default: What holds for channels without a rule of their own.
    """
    if person.kind == "guest":
        return "guest"
    if person.kind in {"external", "bot"} or rule == SHARED:
        return "external"
    is_direct = not channel or channel.startswith("D")
    return None if is_direct or (rule or default) == "allowed" else "channel"


def changed_rules(
    chosen: Iterable[str], rules: Mapping[str, str], *, default: Rule
) -> dict[str, Rule]:
    """Give the rules that make the chosen channels, and no others, exceptions to the default.

    A channel that others share stays closed: Slack decides that, not an admin.
    """
    exception: Rule = "denied" if default == "allowed" else "allowed"
    wanted: dict[str, Rule] = dict.fromkeys(chosen, exception)
    unwanted: dict[str, Rule] = {channel: default for channel in rules if channel not in wanted}
    return {
        channel: rule
        for channel, rule in {**wanted, **unwanted}.items()
        if rules.get(channel) not in {rule, SHARED}
    }


def exceptions_to(rules: Mapping[str, str], *, default: Rule) -> tuple[str, ...]:
    """Give the channels whose rule is not the default."""
    return tuple(
        channel for channel, rule in sorted(rules.items()) if rule not in {default, SHARED}
    )


class People:
    """What Slack says of people, asked at most once an hour for each."""

    def __init__(
        self,
        look_up: Callable[[str, str], Person],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look_up = look_up
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str], tuple[float, Person]] = {}

    def find(self, team: str, user: str) -> Person:
        """Tell who a user of a team is; whatever the look-up raises passes through."""
        with self._lock:
            since, person = self._known.get((team, user), (-_KEPT_S, None))
        if person and self._clock() - since < _KEPT_S:
            return person
        found = self._look_up(team, user)
        with self._lock:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[team, user] = (self._clock(), found)
        return found


def _collection(name: str, table: object) -> Collection:
    if not isinstance(table, dict) or set(table) != {"corpus", "index", "channels"}:
        raise ValueError(f"[{name}] must have corpus, index and channels, and nothing else")
    corpus, index, channels = table["corpus"], table["index"], table["channels"]
    if not (isinstance(corpus, str) and isinstance(index, str) and isinstance(channels, list)):
        raise ValueError(f"[{name}] needs two names of folders and a list of channels")  # noqa: TRY004 - one kind of error for one file
    return Collection(
        name=name,
        corpus=Path(corpus).expanduser(),
        index=Path(index).expanduser(),
        channels=frozenset(map(str, channels)),
    )


def _check(collections: tuple[Collection, ...], file: Path) -> None:
    """Refuse what would leave open which articles a channel sees."""
    channels = [name for one in collections for name in one.channels]
    indexes = [one.index.resolve() for one in collections]
    twice = sorted({name for name in channels if channels.count(name) > 1})
    if not collections or twice or len(set(indexes)) < len(indexes):
        what = f"more than one names {', '.join(twice)}" if twice else "two share an index"
        what = what if collections else "there is none"
        raise ConfigError(
            f"the collections can not be used: {file}: {what}. Give each collection an index of "
            "its own, and each channel one collection"
        )
