"""HTTP mode: what Slack posts to the app's Request URL, signed; and what a forger would post.

`post(url, body, signed(secret, body))` is Slack; the same headers posted again are a replay; each
of `forgeries(secret, body)` must be refused.
https://docs.slack.dev/authentication/verifying-requests-from-slack
"""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode, urlsplit

from .deliveries import ACK_WITHIN_S, Delivery
from .json_types import Json

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What the app answered. `status` is 0 where it hung up."""

    status: int
    body: bytes


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body as Slack does: v0 and HMAC-SHA256 of version, time and body."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()


def signed(secret: str, body: bytes, *, age: float = 0.0) -> dict[str, str]:
    """Give the headers of a correctly signed request that is `age` seconds old."""
    timestamp = str(int(time.time() - age))
    return {
        "X-Slack-Request-Timestamp": timestamp,
        "X-Slack-Signature": signature(secret, timestamp, body),
    }


def forgeries(secret: str, body: bytes) -> dict[str, dict[str, str]]:
    """Give headers that must not be believed, by what is wrong with them."""
    good = signed(secret, body)
    now = good["X-Slack-Request-Timestamp"]

    def with_time(timestamp: str) -> dict[str, str]:
        return {
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(secret, timestamp, body),
        }

    return {
        "missing": {},
        "no signature": {"X-Slack-Request-Timestamp": now},
        "no time": {"X-Slack-Signature": good["X-Slack-Signature"]},
        "bad": {**good, "X-Slack-Signature": "v0=" + "0" * 64},
        "other secret": signed(secret + "x", body),
        "of another body": signed(secret, body + b" "),
        "stale": signed(secret, body, age=301),
        "from the future": signed(secret, body, age=-301),
        "time is a word": with_time("yesterday"),
        "time is empty": with_time(""),
        "time is a fraction": with_time(f"{now}.5"),
        "time is huge": with_time("9" * 400),
        "time is negative": with_time(f"-{now}"),
        "signature is not ASCII": {**good, "X-Slack-Signature": "v0=\u00fc\u00e9"},
        "signature is short": {**good, "X-Slack-Signature": "v0=00"},
        "other version": {**good, "X-Slack-Signature": "v1=" + good["X-Slack-Signature"][3:]},
    }


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = 10.0) -> Posted:
    """Post a body as it is, on a connection of its own."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.putrequest("POST", parts.path or "/")
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            connection.putheader(name, value.encode("utf-8"))
        connection.endheaders(body)
        response = connection.getresponse()
        return Posted(status=response.status, body=response.read())
    except (OSError, http.client.HTTPException):
        return Posted(status=0, body=b"")
    finally:
        connection.close()


def request_of(delivery: Delivery) -> tuple[bytes, dict[str, str]]:
    """Give a delivery's body and headers, before signing: each kind has its own form."""
    if delivery.kind == "events_api":
        body, kind = json.dumps(delivery.payload, ensure_ascii=False).encode(), JSON
    elif delivery.kind == "slash_commands":
        body, kind = urlencode(delivery.payload).encode(), FORM
    else:
        body, kind = urlencode({"payload": json.dumps(delivery.payload)}).encode(), FORM
    headers = {"Content-Type": kind, "User-Agent": "Slackbot 1.0"}
    if delivery.attempt:
        reason = {"timeout": "http_timeout"}.get(delivery.reason, delivery.reason)
        headers |= {"X-Slack-Retry-Num": str(delivery.attempt), "X-Slack-Retry-Reason": reason}
    return body, headers


def deliver(url: str, secret: str, delivery: Delivery, *, speed: float) -> Json | None:
    """Post a delivery to the app; gives the ack's payload, or None if there was no ack."""
    body, headers = request_of(delivery)
    posted = post(url, body, headers | signed(secret, body), timeout=ACK_WITHIN_S / speed)
    if not 200 <= posted.status < 300:
        return None
    try:
        answer = json.loads(posted.body or b"{}")
    except ValueError:
        return {"text": posted.body.decode("utf-8", "replace")} if posted.body.strip() else {}
    return answer if isinstance(answer, dict) else {}
