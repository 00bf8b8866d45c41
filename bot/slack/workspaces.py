"""Who we are to Slack: in one workspace, by the token of the settings, or in several (OAuth)."""

from typing import Protocol

from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.config import Settings
from bot.slack.client import web_client


class Workspaces(Protocol):
    """The workspaces that the bot is installed in."""

    def authorize(self, team: str) -> AuthorizeResult | None:
        """Say who we are in a workspace; None where the bot is not installed."""

    def client_for(self, team: str) -> WebClient:
        """Give a client with the token of a workspace.

        Raises:
            NotInstalled: there is none, or Slack does not take it.
        """

    def bar(self, team: str, code: str) -> bool:
        """Make no more calls in a workspace, for Slack's error code; False where it is the only."""

    def remove(self, team: str, at: float) -> None:
        """Forget the token that a workspace took back at a time; what came later stays."""


class OneWorkspace:
    """The workspace that the token of the settings belongs to."""

    def __init__(self, client: WebClient, us: AuthorizeResult) -> None:
        self._client = client
        self.identity = us

    def authorize(self, team: str) -> AuthorizeResult | None:
        del team
        return self.identity

    def client_for(self, team: str) -> WebClient:
        del team
        return self._client

    def bar(self, team: str, code: str) -> bool:
        del team, code
        return False

    def remove(self, team: str, at: float) -> None:
        """Keep the token: it is not ours to remove, and the next call ends the process."""


def identify(settings: Settings) -> OneWorkspace:
    """Ask Slack whose token the settings have.

    Raises:
        SlackApiError: Slack refuses the token.
    """
    client = web_client(settings, token=settings.bot_token)
    who = client.auth_test()
    us = AuthorizeResult(
        enterprise_id=who.get("enterprise_id"),
        team_id=who.get("team_id"),
        bot_user_id=who.get("user_id"),
        bot_id=who.get("bot_id"),
        bot_token=client.token,
    )
    return OneWorkspace(client, us)
