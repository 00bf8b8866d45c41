"""The Web API: reads calls, refuses what Slack would refuse, and lets ordered faults happen."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser
from typing import Final
from urllib.parse import parse_qsl

from . import chat, conversations, views
from .errors import NO_FAULT_OF_THE_APP, Refused, invalid_arguments
from .faults import Fault, Faults
from .json_types import Json
from .methods import METHODS, Method, RateLimits, checked_arguments, known_errors
from .oauth import Consents
from .workspace import TEAM, Workspace

Handler = Callable[[Workspace, Json], Json]
HANDLERS: Final[Mapping[str, Handler]] = {
    "agents.sessions.setStatus": conversations.set_session_status,
    "api.test": conversations.api_test,
    "assistant.threads.setStatus": conversations.set_status,
    "assistant.threads.setSuggestedPrompts": conversations.set_suggested_prompts,
    "assistant.threads.setTitle": conversations.set_title,
    "auth.test": conversations.auth_test,
    "bots.info": conversations.bot_info,
    "chat.delete": chat.delete,
    "chat.getPermalink": chat.get_permalink,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "conversations.history": conversations.history,
    "conversations.info": conversations.info,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_,
    "conversations.replies": conversations.replies,
    "reactions.add": conversations.add_reaction,
    "reactions.remove": conversations.remove_reaction,
    "team.info": conversations.team_info,
    "users.info": conversations.user_info,
    "views.open": views.open_,
    "views.publish": views.publish,
    "views.push": views.push,
    "views.update": views.update,
}
_OWN: Final = {"apps.connections.open", "oauth.v2.access"}  # what needs more than the workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the app, and what came of it. `at` is real time, as time.monotonic()."""

    method: str
    arguments: Json
    at: float
    error: str | None
    injected: bool = False
    ts: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What goes back. `body` is JSON text, a page of HTML, or nothing at all."""

    status: int
    body: bytes | None
    headers: Mapping[str, str]
    reset: bool = False


class WebApi:
    """Answers the calls of the app.

    Args:
        on_change: Told of each message that the app posted, changed or deleted.
        open_connection: Gives the URL of a new WebSocket, for apps.connections.open.
    """

    def __init__(
        self,
        space: Workspace,
        *,
        bot_token: str,
        app_token: str,
        scopes: frozenset[str],
        limits: RateLimits,
        faults: Faults,
        on_change: Callable[[str, Json, Json], None],
        open_connection: Callable[[], str],
    ) -> None:
        self.calls: list[Call] = []
        self.violations: list[Json] = []
        self.rate_limited: list[Call] = []
        self.tokens = {bot_token: "bot", app_token: "app"}
        self.consents = Consents(space, scopes=scopes)
        self.scopes = scopes
        self.limits = limits
        self._space = space
        self._faults = faults
        self._on_change = on_change
        self._open_connection = open_connection
        self._lock = threading.Lock()

    def answer(self, name: str, headers: Message, body: bytes, query: str) -> Answer:
        """Answer one call.

        The call is noted before any other thread can see what it did: who finds a message finds
        the call that posted it.
        """
        at = time.monotonic()
        with self._space.lock:
            call, result, fault = self._answered(name, headers, body, query, at)
        took_effect = call.error is None and not call.injected
        if took_effect and name in {"chat.postMessage", "chat.update", "chat.delete"}:
            self._on_change(name, call.arguments, result)
        return self._faulty(result, call.error, fault)

    def _answered(
        self, name: str, headers: Message, body: bytes, query: str, at: float
    ) -> tuple[Call, Json, Fault | None]:
        arguments: Json = {}
        fault: Fault | None = None
        try:
            method = _method(name)
            arguments = read_arguments(method, headers, body, query)
            fault = self._faults.pick(name, arguments)
            result = self._outcome(method, arguments, headers, fault)
            error = None
        except Refused as refused:
            error, result = refused.error, {"error": refused.error, **refused.more}
        injected = fault is not None and not fault.takes_effect
        if error and name in METHODS and error not in known_errors(name):
            self.violate(name, "the stand-in gave an error that Slack does not", arguments, error)
        call = Call(
            method=name,
            arguments=arguments,
            at=at,
            error=error,
            injected=injected,
            ts=result.get("ts"),
        )
        self._record(call, result)
        return call, result, fault

    def violate(self, method: str, error: str, arguments: Json, detail: object = None) -> None:
        """Note that the app did what Slack refuses."""
        with self._lock:
            self.violations.append(
                {"method": method, "error": error, "detail": detail, "arguments": arguments}
            )

    def _outcome(
        self, method: Method, arguments: Json, headers: Message, fault: Fault | None
    ) -> Json:
        self._authorize(method, arguments, headers)
        checked = checked_arguments(method, arguments)
        if fault is not None and not fault.takes_effect:
            if fault.error:
                raise Refused(fault.error)
            return {}
        self.limits.take(method, checked)
        if method.name == "oauth.v2.access":
            return self.consents.access(checked, headers)
        if method.name == "apps.connections.open":
            return {"url": self._open_connection()}
        result = HANDLERS[method.name](self._space, checked)
        if method.name == "auth.test":
            result["team_id"] = self.consents.teams.get(_token(arguments, headers), TEAM)
        if fault is not None and fault.trim:
            _trim(self._space, checked, result)
        return result

    def _authorize(self, method: Method, arguments: Json, headers: Message) -> None:
        token = _token(arguments, headers)
        if method.name in {"api.test", "oauth.v2.access"}:
            return
        if not token:
            raise Refused("not_authed")
        tokens = self.tokens | dict.fromkeys(self.consents.teams, "bot")
        if token not in tokens:
            raise Refused("invalid_auth")
        self.consents.check(token, arguments)
        kind = "app" if method.name == "apps.connections.open" else "bot"
        if tokens[token] != kind:
            raise Refused("not_allowed_token_type")
        needed = _needed_scopes(method, arguments)
        if needed - self.scopes:
            raise Refused(
                "missing_scope",
                needed=",".join(sorted(needed)),
                provided=",".join(sorted(self.scopes)),
            )

    def _record(self, call: Call, result: Json) -> None:
        with self._lock:
            self.calls.append(call)
            if call.error == "ratelimited" and not call.injected:
                self.rate_limited.append(call)
        if call.error and not call.injected and call.error not in NO_FAULT_OF_THE_APP:
            trigger = self._space.triggers.get(str(call.arguments.get("trigger_id")))
            if trigger is None or not trigger.forced:
                self.violate(
                    call.method, call.error, call.arguments, result.get("response_metadata")
                )

    def _faulty(self, result: Json, error: str | None, fault: Fault | None) -> Answer:
        """Give the answer, or what a fault makes of it."""
        if fault is not None:
            self._space.clock.wait(fault.stall)
            if fault.lose_response or fault.reset:
                return Answer(status=0, body=None, headers={}, reset=True)
            if fault.retry_after is not None:
                return _limited(fault.retry_after)
            if fault.status is not None:
                page = b"<!DOCTYPE html><html><body>Server Error</body></html>"
                return Answer(status=fault.status, body=page, headers={"Content-Type": "text/html"})
        if error == "ratelimited" and "retry_after" in result:
            return _limited(max(1, round(result["retry_after"] / self._space.clock.speed)))
        text = json.dumps({"ok": error is None, **result}, ensure_ascii=False)
        if fault is not None and fault.malformed:
            text = text[: len(text) // 2]
        return Answer(
            status=200,
            body=text.encode(),
            headers={"Content-Type": "application/json; charset=utf-8"},
        )


def read_arguments(method: Method, headers: Message, body: bytes, query: str) -> Json:
    """Read a call's arguments: from the query, a form, a multipart form, or JSON.

    Raises:
        Refused: the body can not be read, or is JSON where the method takes none.
    """
    arguments: Json = dict(parse_qsl(query, keep_blank_values=True))
    kind = headers.get_content_type() if headers.get("Content-Type") else ""
    if not body:
        return arguments
    if kind == "application/json":
        if not method.json:
            raise Refused("invalid_post_type")
        return arguments | _json_object(body)
    if kind == "application/x-www-form-urlencoded":
        return arguments | dict(parse_qsl(_utf8(body), keep_blank_values=True))
    if kind == "multipart/form-data":
        return arguments | _multipart(headers, body)
    raise Refused("invalid_post_type" if kind else "missing_post_type")


def _token(arguments: Json, headers: Message) -> str:
    token = headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return token or str(arguments.get("token", ""))


def _method(name: str) -> Method:
    if name not in METHODS or name not in HANDLERS.keys() | _OWN:
        raise Refused("unknown_method", req_method=name)
    return METHODS[name]


def _needed_scopes(method: Method, arguments: Json) -> frozenset[str]:
    """Of the scopes that a schema lists for conversations, the channel's kind decides which."""
    first = str(arguments.get("channel") or "C")[0]
    first = "D" if first == "U" else first
    if method.name in {"conversations.replies", "conversations.history"}:
        return frozenset({conversations.HISTORY_SCOPES.get(first, "channels:history")})
    if method.name in {"conversations.info", "conversations.members"}:
        return frozenset({conversations.READ_SCOPES.get(first, "channels:read")})
    if method.name == "conversations.open":
        return frozenset({"im:write"})
    return frozenset(method.scopes)


def _json_object(body: bytes) -> Json:
    try:
        read = json.loads(_utf8(body))
    except ValueError:
        raise Refused("invalid_json") from None
    if not isinstance(read, dict):
        raise Refused("invalid_json")
    _refuse_surrogates(body)
    return read


def _refuse_surrogates(body: bytes) -> None:
    text = json.dumps(json.loads(body), ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise invalid_arguments("not Unicode: a lone surrogate") from None


def _utf8(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refused("invalid_charset") from None


def _multipart(headers: Message, body: bytes) -> Json:
    whole = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode() + body
    parts = BytesParser().parsebytes(whole).get_payload()
    if not isinstance(parts, list):
        raise Refused("invalid_form_data")
    return {
        str(part.get_param("name", header="Content-Disposition")): part.get_payload(
            decode=True
        ).decode()  # type: ignore[union-attr]
        for part in parts
    }


def _limited(retry_after: int) -> Answer:
    return Answer(
        status=429,
        body=b'{"ok":false,"error":"ratelimited"}',
        headers={"Content-Type": "application/json", "Retry-After": str(retry_after)},
    )


def _trim(space: Workspace, arguments: Json, result: Json) -> None:
    """Store a message otherwise than it was sent: white space at the ends of quotes is gone."""
    stored = space.message(space.channel(arguments["channel"]), result["ts"])
    for message in (stored, result["message"]):
        for block in message.get("blocks", []):
            for part in block.get("elements", []):
                if part.get("type") == "rich_text_quote":
                    for element in part["elements"]:
                        element["text"] = " ".join(element["text"].split())
