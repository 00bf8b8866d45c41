"""Faults that can be ordered: for calls of the app, and for what Slack sends to it."""

import random
import threading
from dataclasses import dataclass

from .json_types import Json
from .methods import METHODS, known_errors


@dataclass(slots=True, kw_only=True)
class Fault:
    """What happens to a call.

    Attributes:
        method: The method's name, or «*».
        error: Refuse with this error.
        status: Answer with this HTTP status and a page of HTML.
        retry_after: Answer 429 with this Retry-After, in seconds.
        accepted: Carry the call out before it fails.
        lose_response: Carry the call out, then hang up without an answer.
        reset: Hang up at once, with RST.
        stall: Wait so many of Slack's seconds before the answer.
        malformed: Answer with half a JSON text.
        trim: Store what is posted with the white space of its quotes trimmed.
        times: How many calls fail; None means all.
        share: The share of calls that fail, by the server's own dice.
        channel: Only calls for this channel.
    """

    method: str
    error: str | None = None
    status: int | None = None
    retry_after: int | None = None
    accepted: bool = False
    lose_response: bool = False
    reset: bool = False
    stall: float = 0.0
    malformed: bool = False
    trim: bool = False
    times: int | None = 1
    share: float = 1.0
    channel: str | None = None
    hits: int = 0

    @property
    def takes_effect(self) -> bool:
        """Whether the call is carried out."""
        if self.accepted or self.lose_response:
            return True
        return not (self.error or self.status or self.retry_after or self.reset)


class Faults:
    """The faults that are ordered; the first that fits a call happens to it."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def fail_next(
        self,
        method: str,
        *,
        error: str | None = None,
        status: int | None = None,
        retry_after: int | None = None,
        accepted: bool = False,
        lose_response: bool = False,
        reset: bool = False,
        stall: float = 0.0,
        malformed: bool = False,
        trim: bool = False,
        times: int | None = 1,
        share: float = 1.0,
        channel: str | None = None,
    ) -> Fault:
        """Order a fault; its fields say what each argument means, its `hits` count.

        Raises:
            ValueError: Slack is not known to give this error for this method.
        """
        if error and method in METHODS and error not in known_errors(method):
            raise ValueError(f"{method} does not fail with {error}")
        fault = Fault(
            method=method,
            error=error,
            status=status,
            retry_after=retry_after,
            accepted=accepted,
            lose_response=lose_response,
            reset=reset,
            stall=stall,
            malformed=malformed,
            trim=trim,
            times=times,
            share=share,
            channel=channel,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pick(self, method: str, arguments: Json) -> Fault | None:
        """Find the fault that happens to this call, and count it."""
        with self._lock:
            for fault in self._faults:
                if fault.method not in {"*", method} or fault.times == fault.hits:
                    continue
                if fault.channel not in {None, arguments.get("channel")}:
                    continue
                if fault.share < 1 and self._dice.random() >= fault.share:
                    continue
                fault.hits += 1
                return fault
        return None
