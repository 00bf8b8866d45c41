"""Settings: the only reader of the environment and of `.env`.

`.env.example` lists every variable; a test compares it with the fields below.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from retrieval import (
    DEFAULT_LIMIT_BYTES,
    DEFAULT_MODEL,
    OWN,
    ClippingsError,
    MilvusServer,
    read_url,
)

NO_RERANKER = "none"


class ConfigError(ClippingsError):
    """A setting can not be used; the user corrects the environment or `.env`."""


class Settings(BaseSettings):
    """What the user may set; an empty variable counts as unset."""

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    corpus: Path = Field(
        default=Path("corpus"),
        validation_alias="CLIPPINGS_CORPUS",
        description="the folder of articles",
    )
    index: Path = Field(
        default=Path(".clippings"),
        validation_alias="CLIPPINGS_INDEX",
        description="the folder of the index",
    )
    index_url: str | None = Field(
        default=None,
        validation_alias="INDEX_URL",
        description="the address of a Milvus, such as milvus://127.0.0.1:19530",
    )
    index_token: SecretStr | None = Field(
        default=None,
        validation_alias="INDEX_TOKEN",
        description="user:password, or an API key, of the Milvus of INDEX_URL",
    )
    index_certificate: Path | None = Field(
        default=None,
        validation_alias="INDEX_CERTIFICATE",
        description="a PEM file with the certificate of the Milvus of INDEX_URL",
    )
    model: str = Field(
        default=DEFAULT_MODEL,
        validation_alias="EMBEDDING_MODEL",
        description="the name or folder of a sentence-transformers model",
    )
    reranker: str = Field(
        default=OWN,
        validation_alias="RERANKER_MODEL",
        description="“clippings”, “none”, or the name or folder of a CrossEncoder",
    )
    max_file_bytes: int = Field(
        default=DEFAULT_LIMIT_BYTES,
        ge=1,
        validation_alias="CLIPPINGS_MAX_FILE_BYTES",
        description="a whole number of bytes, 1 or more",
    )
    limit: int = Field(
        default=3,
        ge=1,
        validation_alias="CLIPPINGS_LIMIT",
        description="a whole number of findings, 1 or more",
    )
    bot_token: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_BOT_TOKEN",
        description="the bot token of the Slack app (xoxb-...)",
    )
    app_token: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_APP_TOKEN",
        description="the app-level token of the Slack app (xapp-...)",
    )
    signing_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_SIGNING_SECRET",
        description="the signing secret of the Slack app",
    )
    client_id: str | None = Field(
        default=None,
        validation_alias="SLACK_CLIENT_ID",
        description="the client id of the Slack app",
    )
    client_secret: SecretStr | None = Field(
        default=None,
        validation_alias="SLACK_CLIENT_SECRET",
        description="the client secret of the Slack app",
    )
    token_key: SecretStr | None = Field(
        default=None,
        validation_alias="CLIPPINGS_TOKEN_KEY",
        description="a key of cryptography's Fernet",
    )
    http_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        validation_alias="SLACK_HTTP_PORT",
        description="a port number",
    )
    http_host: str = Field(
        default="127.0.0.1",
        validation_alias="SLACK_HTTP_HOST",
        description="the address to listen on",
    )
    api_url: str = Field(
        default="https://slack.com/api/",
        pattern=r"^https?://[^\s/]+/",
        validation_alias="SLACK_API_URL",
        description="the address of Slack's API, such as https://slack.com/api/",
    )
    database_url: SecretStr | None = Field(
        default=None,
        validation_alias="DATABASE_URL",
        description="the URL of a database, such as postgresql+psycopg://user@host/name",
    )
    channels: Literal["allowed", "denied"] = Field(
        default="allowed",
        validation_alias="CLIPPINGS_CHANNELS",
        description="“allowed” or “denied”",
    )
    collections: Path | None = Field(
        default=None,
        validation_alias="CLIPPINGS_COLLECTIONS",
        description="a TOML file of collections",
    )
    health_port: int | None = Field(
        default=None,
        ge=0,
        le=65_535,
        validation_alias="CLIPPINGS_HEALTH_PORT",
        description="a port number",
    )

    @property
    def engine(self) -> MilvusServer | None:
        """Which server is searched; None where it is the index itself."""
        if self.index_url is None:
            return None
        token = self.index_token.get_secret_value() if self.index_token else ""
        return replace(read_url(self.index_url), token=token, certificate=self.index_certificate)

    @property
    def database(self) -> str:
        """Where the bot keeps its state: next to the index, unless the user names a database."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.index.resolve().parent / '.clippings-bot.db'}"

    @property
    def takes_installations(self) -> bool:
        """Whether workspaces install the bot by themselves (OAuth), rather than by one token."""
        is_told = self.http_port is not None and self.client_id is not None
        return is_told and self.bot_token is None

    @property
    def names_corpus(self) -> bool:
        """Whether the user named the folder of articles, here or there."""
        return "corpus" in self.model_fields_set

    @field_validator("index_url")
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None:
            read_url(url)
        return url

    @field_validator("corpus", "index", "collections", "index_certificate")
    @classmethod
    def _home(cls, path: Path | None) -> Path | None:
        """Read «~» as the shell would have done; in `.env` there is no shell."""
        return path.expanduser() if path else None


def read_settings(*, corpus: Path | None, index: Path | None) -> Settings:
    """Read the settings; a folder that is given here wins over the environment.

    Raises:
        ConfigError: a variable can not be used; the message names it and never its value, which
            may be a secret.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise ConfigError(_explain(error)) from None
    except (OSError, UnicodeDecodeError, RuntimeError) as error:
        raise ConfigError(
            f".env can not be read ({error}). Save it as UTF-8 text that you may read, or remove it"
        ) from error
    given = {"corpus": corpus, "index": index}
    return settings.model_copy(update={name: path for name, path in given.items() if path})


def variable_of(field: str) -> str:
    """Give the environment variable that a field of Settings is read from."""
    return str(Settings.model_fields[field].validation_alias)


def _explain(error: ValidationError) -> str:
    meant = {variable_of(name): field for name, field in Settings.model_fields.items()}
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        variable = str(problem["loc"][0])
        lines.append(
            f"{variable} can not be used: {problem['msg']}. Set it to {meant[variable].description}"
            " in the environment or in .env, or remove it"
        )
    return "\n".join(lines)
