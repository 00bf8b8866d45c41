"""Installing the bot into workspaces, by OAuth: two pages that a browser opens.

    GET /slack/install         → Slack's page that asks for consent; a cookie remembers the browser
    GET /slack/oauth_redirect  ← from there: the code becomes a token, and the token is kept

The `state` that goes to Slack and comes back is a random UUID that the database holds for ten
minutes. It is looked at only if it looks like one and the browser's cookie says the same, and it is
deleted by being used: whoever comes twice, or with somebody else's, gets nothing.
"""

import hmac
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from importlib import resources
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urljoin

from pydantic import SecretStr
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.batch import Json
from bot.config import Settings
from bot.slack.installations import Installations, Installed
from bot.store import STATE_LIVES_S, Store

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

INSTALL: Final = "/slack/install"
REDIRECT: Final = "/slack/oauth_redirect"
COOKIE: Final = "__Host-clippings-state"

_MOST_OF_QUERY = 2_000
_STATE = re.compile(r"[0-9a-f-]{36}")
_CODE = re.compile(r"[\w.-]{1,400}", re.ASCII)
_HEADERS = (
    ("content-type", "text/plain; charset=utf-8"),
    ("cache-control", "no-store"),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
)
_AGAIN = f"Please begin again at {INSTALL}."

logger = logging.getLogger(__name__)


class _Refusal(Exception):
    """What the person is told, and with which status; the code is for the log."""

    def __init__(
        self, said: str, *, code: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST
    ) -> None:
        super().__init__(code)
        self.said, self.code, self.status = said, code, status


class Installer:
    """The two pages.

    Args:
        client: Makes a client of a token, or one without.
    """

    def __init__(
        self,
        settings: Settings,
        installations: Installations,
        store: Store,
        *,
        client: Callable[[SecretStr | None], WebClient],
    ) -> None:
        self._client_id = settings.client_id or ""
        self._client_secret = settings.client_secret or SecretStr("")
        self._consent = urljoin(settings.api_url, "/oauth/v2/authorize")
        self._installations = installations
        self._store = store
        self._client = client
        self._scopes = scopes()

    @property
    def pages(self) -> "Mapping[str, WSGIApplication]":
        return {INSTALL: self._install, REDIRECT: self._come_back}

    def _install(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        del environ
        state = str(uuid.uuid4())
        if not self._store.issue_state(state):
            said = "Too many people are installing. Please try again in ten minutes."
            return _say(start_response, HTTPStatus.SERVICE_UNAVAILABLE, said)
        query = {"client_id": self._client_id, "scope": ",".join(self._scopes), "state": state}
        headers = [
            ("location", f"{self._consent}?{urlencode(query)}"),
            ("set-cookie", _cookie(state, seconds=int(STATE_LIVES_S))),
        ]
        return _say(start_response, HTTPStatus.FOUND, "Going to Slack.", headers)

    def _come_back(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        status, said = HTTPStatus.OK, "Clippings is installed. In Slack: /invite @Clippings"
        try:
            code = self._code(environ)
            self._installations.save(self._exchange(code))
        except _Refusal as error:
            logger.warning("not_installed code=%s", error.code)
            status, said = error.status, error.said
        except Exception as error:  # noqa: BLE001 - the boundary: a traceback may hold a token
            logger.error("not_installed error=%s", type(error).__name__)  # noqa: TRY400
            status, said = HTTPStatus.INTERNAL_SERVER_ERROR, f"Something went wrong. {_AGAIN}"
        return _say(start_response, status, said, [("set-cookie", _cookie("", seconds=0))])

    def _code(self, environ: "WSGIEnvironment") -> str:
        """Give the code of a browser that we sent to Slack, once."""
        query = _read_query(str(environ.get("QUERY_STRING") or ""))
        state, code = query.get("state", ""), query.get("code", "")
        sent = _read_cookie(str(environ.get("HTTP_COOKIE") or ""))
        if not (_STATE.fullmatch(state) and hmac.compare_digest(state.encode(), sent.encode())):
            raise _Refusal(f"This is not the browser that began. {_AGAIN}", code="state")
        if not self._store.take_state(state):
            raise _Refusal(f"This link is used up or too old. {_AGAIN}", code="old_state")
        if "error" in query:
            raise _Refusal("Nothing was installed.", code="denied")
        if not _CODE.fullmatch(code):
            raise _Refusal(f"Slack gave no code. {_AGAIN}", code="no_code")
        return code

    def _exchange(self, code: str) -> Installed:
        try:
            given = self._client(None).oauth_v2_access(
                client_id=self._client_id,
                client_secret=self._client_secret.get_secret_value(),
                code=code,
            )
            installed = self._read(given.data if isinstance(given.data, dict) else {})
            who = self._client(installed.token).auth_test()
        except SlackApiError as error:
            said = f"Slack does not take the code. {_AGAIN}"
            status = HTTPStatus.BAD_GATEWAY
            raise _Refusal(said, code=_error_of(error), status=status) from None
        if who.get("team_id") != installed.team:
            raise _Refusal(f"Slack gave another workspace. {_AGAIN}", code="other_team")
        return Installed(
            team=installed.team,
            app=installed.app,
            token=installed.token,
            scopes=installed.scopes,
            bot_id=str(who.get("bot_id") or ""),
            bot_user=str(who.get("user_id") or ""),
        )

    def _read(self, given: Mapping[str, Json]) -> Installed:
        """Read what Slack gave; organisations are not served as a whole."""
        team, token, granted = given.get("team"), given.get("access_token"), given.get("scope")
        if given.get("is_enterprise_install") or not isinstance(team, Mapping):
            raise _Refusal(
                "Please install Clippings into one workspace, not into the organisation.",
                code="organisation",
            )
        if not isinstance(token, str) or not isinstance(granted, str):
            raise _Refusal(f"Slack gave no token. {_AGAIN}", code="no_token")
        missing = set(self._scopes) - set(granted.split(","))
        if missing:
            raise _Refusal(f"Not allowed: {', '.join(sorted(missing))}.", code="missing_scope")
        return Installed(
            team=str(team.get("id") or ""),
            app=str(given.get("app_id") or ""),
            token=SecretStr(token),
            scopes=granted,
            bot_id="",
            bot_user=str(given.get("bot_user_id") or ""),
        )


def scopes() -> tuple[str, ...]:
    """Give the scopes that the manifest asks for."""
    manifest = json.loads(resources.files("bot").joinpath("manifest.json").read_text("utf-8"))
    return tuple(manifest["oauth_config"]["scopes"]["bot"])


def _read_query(query: str) -> dict[str, str]:
    """Read a query in which each name stands once; another one is empty."""
    if len(query) > _MOST_OF_QUERY:
        return {}
    try:
        read = parse_qs(query, keep_blank_values=True, max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in read.items() if len(values) == 1}


def _read_cookie(header: str) -> str:
    try:
        morsel = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _cookie(value: str, *, seconds: int) -> str:
    return f"{COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax"


def _error_of(error: SlackApiError) -> str:
    """Give Slack's code; where its body is not JSON, the SDK puts a piece of the body there."""
    code = str(error.response.get("error"))
    return code if re.fullmatch("[a-z0-9_]{1,80}", code) else "unreadable"


def _say(
    start_response: "StartResponse",
    status: HTTPStatus,
    said: str,
    headers: Iterable[tuple[str, str]] = (),
) -> Iterable[bytes]:
    body = f"{said}\n".encode()
    length = ("content-length", str(len(body)))
    start_response(f"{status.value} {status.phrase}", [*_HEADERS, *headers, length])
    return [body]
