"""Counts and times for Prometheus; never texts, and no label that names a person or a channel."""

from collections.abc import Callable
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 2.5, 5.0, 10.0, 30.0, 60.0)


class Figures(Protocol):
    """What the reception counts with: the metrics, or what carries it to them."""

    def saw_event(self, surface: str, result: str) -> None: ...

    def saw_call(self, kind: str, code: str) -> None: ...

    def took(self, step: str, seconds: float) -> None: ...


class Metrics:
    """All figures of one bot, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._accepted = self._counter(
            "events", "Events of Slack's by surface and what became of them", "surface", "result"
        )
        self._answered = self._counter("answers", "Questions answered, by outcome", "outcome")
        self._calls = self._counter(
            "slack_calls", "Calls to Slack by kind and code", "kind", "code"
        )
        self._ended = self._counter("deliveries", "Answers delivered or given up", "result")
        self._mismatches = self._counter(
            "quote_roundtrip_mismatches", "Messages that Slack stored otherwise than they were sent"
        )
        self._seconds = Histogram(
            "clippings_seconds",
            "Time by step: put (until it may be acknowledged), answer, delivery (all in all)",
            ["step"],
            registry=self._registry,
            buckets=_SECONDS,
        )

    def saw_event(self, surface: str, result: str) -> None:
        self._accepted.labels(surface, result).inc()

    def saw_answer(self, outcome: str) -> None:
        self._answered.labels(outcome).inc()

    def saw_call(self, kind: str, code: str) -> None:
        self._calls.labels(kind, code).inc()

    def saw_end(self, result: str) -> None:
        self._ended.labels(result).inc()

    def saw_mismatch(self) -> None:
        self._mismatches.inc()

    def took(self, step: str, seconds: float) -> None:
        self._seconds.labels(step).observe(max(0.0, seconds))

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """Show a figure that is read when it is asked for."""
        gauge = Gauge(f"clippings_{name}", meaning, registry=self._registry)
        gauge.set_function(read)

    def render(self) -> bytes:
        """Give all figures in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"clippings_{name}", meaning, labels, registry=self._registry)
