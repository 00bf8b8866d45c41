"""OAuth: what Slack's page of consent does, and `oauth.v2.access`.

The shape of the answer is that of docs.slack.dev/reference/methods/oauth.v2.access. All workspaces
share one `Workspace` here; a channel and a person know which one they are of.
"""

import base64
import itertools
from email.message import Message
from typing import Final
from urllib.parse import parse_qs, urlsplit

from .errors import Refused
from .json_types import Json
from .workspace import APP, BOT_USER, TEAM, Workspace

CLIENT_ID: Final = "123.456"
CLIENT_SECRET: Final = "c1ient5ecret"  # noqa: S105


class Consents:
    """Who consented, and the tokens that came of it."""

    def __init__(self, space: Workspace, *, scopes: frozenset[str]) -> None:
        self._space = space
        self._scopes = scopes
        self._codes: dict[str, str] = {}
        self._numbers = itertools.count(1)
        self.teams: dict[str, str] = {}  # token → workspace
        self.revoked: set[str] = set()

    def consent(self, location: str, *, team: str) -> str:
        """Press «Allow» on the page that an app sent a browser to; gives the query to go back with.

        Raises:
            Refused: it is another app's, or asks for other scopes than the manifest has.
        """
        query = parse_qs(urlsplit(location).query)
        if query["client_id"] != [CLIENT_ID]:
            raise Refused("invalid_client_id")
        if set(query["scope"][0].split(",")) != self._scopes:
            raise Refused("no_scopes")
        code = f"{next(self._numbers)}.{team}.code"
        self._codes[code] = team
        return f"code={code}&state={query['state'][0]}"

    def access(self, arguments: Json, headers: Message) -> Json:
        """`oauth.v2.access`: a code becomes a token, once."""
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if headers.get("Authorization") != f"Basic {basic}":
            raise Refused("bad_client_secret")
        team = self._codes.pop(str(arguments.get("code")), None)
        if team is None:
            raise Refused("invalid_code")
        token = f"xoxb-{team}-{next(self._numbers):040d}"
        self.teams[token] = team
        self._space.teams.add(team)
        return {
            "access_token": token,
            "token_type": "bot",
            "scope": ",".join(sorted(self._scopes)),
            "bot_user_id": BOT_USER,
            "app_id": APP,
            "team": {"id": team, "name": team.lower()},
            "enterprise": None,
            "authed_user": {"id": "UADMIN"},
            "is_enterprise_install": False,
        }

    def revoke(self, team: str) -> None:
        """Take the tokens of a workspace back."""
        self.revoked |= {token for token, of in self.teams.items() if of == team}

    def check(self, token: str, arguments: Json) -> None:
        """Refuse a token that was taken back, or one of another workspace than the channel's.

        Raises:
            Refused: with Slack's code.
        """
        if token in self.revoked:
            raise Refused("token_revoked")
        channel = self._space.channels.get(str(arguments.get("channel")))
        if channel and channel.team != self.teams.get(token, TEAM):
            raise Refused("channel_not_found")
