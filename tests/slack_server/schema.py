"""A small language for what a piece of JSON must look like; refusals point at the place.

A `Spec` is a function that is given a value and its JSON pointer, and raises `Invalid`. Lengths are
counted in UTF-16 units, as JavaScript does: never fewer than code points.
"""

from collections.abc import Callable, Mapping
from typing import Final

Spec = Callable[[object, str], None]


class Invalid(Exception):
    """A value is not what it must be; the message is worded as Slack words it."""

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(f"[ERROR] {message} [json-pointer:{pointer}]")


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def string(*, most: int, least: int = 1) -> Spec:
    def check(value: object, pointer: str) -> None:
        if not isinstance(value, str):
            raise Invalid("must provide a string", pointer)
        if units(value) < least:
            raise Invalid(f"must be more than {least - 1} characters", pointer)
        if units(value) > most:
            raise Invalid(f"must be less than {most + 1} characters", pointer)

    return check


def one_of(*values: object) -> Spec:
    def check(value: object, pointer: str) -> None:
        if value not in values:
            raise Invalid(f"unsupported value: {value!r}", pointer)

    return check


def boolean(value: object, pointer: str) -> None:
    if not isinstance(value, bool):
        raise Invalid("must provide a boolean", pointer)


def whole(*, least: int = 0, most: int = 2**40) -> Spec:
    def check(value: object, pointer: str) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise Invalid(f"must be a number from {least} to {most}", pointer)

    return check


def list_of(spec: Spec, *, most: int, least: int = 1) -> Spec:
    def check(value: object, pointer: str) -> None:
        if not isinstance(value, list):
            raise Invalid("must provide an array", pointer)
        if len(value) < least:
            raise Invalid(f"no less than {least} items allowed", pointer)
        if len(value) > most:
            raise Invalid(f"no more than {most} items allowed", pointer)
        for number, each in enumerate(value):
            spec(each, f"{pointer}/{number}")

    return check


def record(required: Mapping[str, Spec], optional: Mapping[str, Spec] | None = None) -> Spec:
    """An object with these fields and no others."""
    known: Final = {**required, **(optional or {})}

    def check(value: object, pointer: str) -> None:
        if not isinstance(value, dict):
            raise Invalid("must provide an object", pointer)
        for name in required:
            if name not in value:
                raise Invalid(f"missing required field: {name}", pointer)
        for name, each in value.items():
            if name not in known:
                raise Invalid(f"invalid additional property: {name}", pointer)
            known[name](each, f"{pointer}/{name}")

    return check


def by_type(what: str, specs: Mapping[str, Spec]) -> Spec:
    """An object whose `type` says which spec holds."""

    def check(value: object, pointer: str) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in specs:
            raise Invalid(f"unsupported type: {kind} ({what})", f"{pointer}/type")
        specs[kind](value, pointer)

    return check


def anything(_value: object, _pointer: str) -> None:
    """Accept a value that another spec has checked."""
