"""The workspaces that installed the bot by OAuth: their tokens, encrypted in the bot's database.

The table is slack_sdk's; it holds tokens as Fernet texts, whose key is in the environment alone.
A token is decrypted where it is used, and kept nowhere: what one bot removes, no other bot uses.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import SecretStr
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.config import ConfigError, variable_of
from bot.slack.posting import NotInstalled
from bot.store import Store

if TYPE_CHECKING:
    from cryptography.fernet import Fernet
    from slack_sdk.oauth.installation_store import Bot

_SECOND_S = 1.0  # Slack tells when an event was in whole seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """What a workspace gave us."""

    team: str
    app: str
    token: SecretStr
    scopes: str
    bot_id: str
    bot_user: str


class Installations:
    """Workspaces by their ids; see `bot.slack.workspaces.Workspaces`.

    Args:
        client: Makes a client of a token.
        clock: Seconds since the epoch.

    Raises:
        ConfigError: the key is none, or not the one that the kept tokens were encrypted with.
    """

    def __init__(
        self,
        store: Store,
        *,
        client_id: str,
        key: SecretStr,
        client: Callable[[SecretStr], WebClient],
        clock: Callable[[], float],
    ) -> None:
        from slack_sdk.oauth.installation_store.sqlalchemy import SQLAlchemyInstallationStore

        self._cipher = read_key(key)
        self._writer = SQLAlchemyInstallationStore(client_id=client_id, engine=store.engine)
        self._reader = SQLAlchemyInstallationStore(client_id=client_id, engine=store.reader)
        self._client = client
        self._clock = clock
        self._barred: dict[str, float] = {}  # team → when the token came that is refused
        store.add_table(self._writer.bots)
        self._check()

    def authorize(self, team: str) -> AuthorizeResult | None:
        bot = self._find(team)
        if bot is None:
            return None
        return AuthorizeResult(
            enterprise_id=None,
            team_id=team,
            bot_user_id=bot.bot_user_id,
            bot_id=bot.bot_id,
            bot_token=self._open(bot.bot_token).get_secret_value(),
        )

    def client_for(self, team: str) -> WebClient:
        bot = self._find(team)
        if bot is None or self._barred.get(team) == bot.installed_at:
            raise NotInstalled(team)
        return self._client(self._open(bot.bot_token))

    def bar(self, team: str, code: str) -> bool:
        bot = self._find(team)
        if bot is not None and self._barred.get(team) != bot.installed_at:
            self._barred[team] = bot.installed_at
            logger.critical("workspace_stopped team=%s code=%s", team, code)
        return True

    def remove(self, team: str, at: float) -> None:
        bot = self._find(team)
        if bot is None or bot.installed_at > at + _SECOND_S:
            return  # Slack delivers late, and some install again at once
        self._writer.delete_bot(enterprise_id=None, team_id=team)
        logger.info("workspace_removed team=%s", team)

    def save(self, installed: Installed) -> None:
        """Keep what a workspace gave us, in the place of what it gave before."""
        from slack_sdk.oauth.installation_store import Bot

        self._writer.delete_bot(enterprise_id=None, team_id=installed.team)
        self._writer.save_bot(
            Bot(
                app_id=installed.app,
                team_id=installed.team,
                bot_token=self._cipher.encrypt(
                    installed.token.get_secret_value().encode()
                ).decode(),
                bot_id=installed.bot_id,
                bot_user_id=installed.bot_user,
                bot_scopes=installed.scopes,
                installed_at=self._clock(),
            )
        )
        logger.info("workspace_installed team=%s", installed.team)

    def _find(self, team: str) -> "Bot | None":
        return self._reader.find_bot(enterprise_id=None, team_id=team) if team else None

    def _open(self, sealed: str) -> SecretStr:
        """Decrypt a token.

        Raises:
            ConfigError: it was encrypted with another key, or is damaged.
        """
        from cryptography.fernet import InvalidToken

        try:
            return SecretStr(self._cipher.decrypt(sealed.encode()).decode())
        except InvalidToken:
            raise ConfigError(
                f"{variable_of('token_key')} does not open the tokens in the database. Set the key "
                "that they were encrypted with; if it is lost, delete the table slack_bots and let "
                "each workspace install the bot again"
            ) from None

    def _check(self) -> None:
        bots = self._reader.bots
        mine = bots.c.client_id == self._reader.client_id
        with self._reader.engine.connect() as db:
            sealed = [row.bot_token for row in db.execute(bots.select().where(mine))]
        for token in sealed:
            self._open(token)


def read_key(key: SecretStr) -> "Fernet":
    """Read the key that tokens are encrypted with.

    Raises:
        ConfigError: it is no such key; the message does not hold it.
    """
    from cryptography.fernet import Fernet

    try:
        return Fernet(key.get_secret_value())
    except ValueError:
        raise ConfigError(
            f"{variable_of('token_key')} is no key. Make one with: python -c "
            '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        ) from None
