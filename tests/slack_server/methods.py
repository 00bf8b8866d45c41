"""Slack's published method schemas: arguments, scopes, tiers, errors.

`methods.json` is an extract of slack-ruby/slack-api-ref (MIT), which mirrors docs.slack.dev; it was
taken at commit f4837c0 of 2026-08-20. Nothing in it was changed.

Two things differ from Slack on purpose. An argument that the schema does not know is refused; Slack
ignores it, and so hides a typing error. `team_id` is allowed everywhere, because Bolt adds it.
"""

import json
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .clock import Clock
from .errors import COMMON, UNPUBLISHED, Refused, invalid_arguments
from .json_types import Json

# Calls per minute: https://docs.slack.dev/apis/web-api/rate-limits. «Special» (t5) is published for
# chat.postMessage alone: one message per second and channel, «short bursts» allowed; 5 is ours.
PER_MINUTE: Final = {"t1": 1, "t2": 20, "t3": 50, "t4": 100, "t5": 1200}
POSTS_PER_SECOND: Final = 1.0
POST_BURST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A Web API method, as published."""

    name: str
    scopes: tuple[str, ...]
    tier: str
    json: bool
    required: tuple[str, ...]
    arguments: Mapping[str, tuple[str, ...]]
    errors: frozenset[str]


def _load() -> dict[str, Method]:
    read = json.loads((Path(__file__).parent / "methods.json").read_text(encoding="utf-8"))
    return {
        name: Method(
            name=name,
            scopes=tuple(each["scopes"]),
            tier=each["tier"],
            json=each["json"],
            required=tuple(each["required"]),
            arguments={key: tuple(kinds) for key, kinds in each["arguments"].items()},
            errors=frozenset(each["errors"]),
        )
        for name, each in read["methods"].items()
    }


METHODS: Final = _load()


def known_errors(method: str) -> frozenset[str]:
    """Give all errors that Slack is known to give for a method."""
    return METHODS[method].errors | COMMON | UNPUBLISHED.get(method, set())


def checked_arguments(method: Method, given: Json) -> Json:
    """Check a call's arguments against the schema and give them with their types.

    Raises:
        Refused: one is missing, unknown, or of the wrong type.
    """
    known = {key: value for key, value in given.items() if key not in {"token", "team_id"}}
    unknown = sorted(known.keys() - method.arguments.keys())
    if unknown and method.name != "api.test":
        raise invalid_arguments(*(f"no such argument: {name}" for name in unknown))
    missing = [name for name in method.required if known.get(name) in (None, "")]
    # setStatus with an empty status clears it.
    if missing and (method.name, missing) != ("assistant.threads.setStatus", ["status"]):
        raise invalid_arguments(*(f"missing required field: {name}" for name in missing))
    return {
        name: _typed(name, value, method.arguments.get(name, ()))
        for name, value in known.items()
        if value is not None
    }


def _typed(name: str, value: object, kinds: tuple[str, ...]) -> object:
    if kinds == ("boolean",):
        return _boolean(name, value)
    if kinds == ("number",):
        try:
            return int(str(value))
        except ValueError:
            raise invalid_arguments(f"must be a number: {name}") from None
    if kinds and set(kinds) <= {"string", "null"} and not isinstance(value, str | dict | list):
        raise invalid_arguments(f"must be a string: {name}")
    return value


def _boolean(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() in {"true", "1"}:
        return True
    if str(value).lower() in {"false", "0"}:
        return False
    raise invalid_arguments(f"must be a boolean: {name}")


class RateLimits:
    """Counts calls as Slack does: per method, and for posts per channel too.

    Args:
        generosity: How many times what Slack allows is allowed here.
    """

    def __init__(self, clock: Clock, *, generosity: float = 1.0) -> None:
        self.generosity = generosity
        self._clock = clock
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, method: Method, arguments: Json) -> None:
        """Count a call.

        Raises:
            Refused: too many; `retry_after` says for how many of Slack's seconds.
        """
        per_minute = PER_MINUTE[method.tier]
        self._take((method.name, ""), rate=per_minute / 60, burst=per_minute)
        if method.name == "chat.postMessage":
            channel = str(arguments.get("channel"))
            self._take((method.name, channel), rate=POSTS_PER_SECOND, burst=POST_BURST)

    def _take(self, key: tuple[str, str], *, rate: float, burst: float) -> None:
        rate, burst = rate * self.generosity, burst * self.generosity
        with self._lock:
            now = self._clock.now()
            tokens, since = self._buckets.get(key, (burst, now))
            tokens = min(burst, tokens + (now - since) * rate)
            if tokens < 1:
                self._buckets[key] = (tokens, now)
                raise Refused("ratelimited", retry_after=math.ceil((1 - tokens) / rate))
            self._buckets[key] = (tokens - 1, now)
