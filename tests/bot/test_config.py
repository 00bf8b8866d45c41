"""config.py: the environment and .env."""

import re
from pathlib import Path

import pytest

from bot.config import ConfigError, Settings, read_settings, variable_of

ROOT = Path(__file__).parents[2]
WHO = "root:secret"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Work in an empty folder with none of our variables set."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)


def read():
    return read_settings(corpus=None, index=None)


def test_defaults():
    """Without any setting, the articles are in «corpus» and the index in «.clippings»."""
    settings = read()
    assert settings.model_dump() == {
        "corpus": Path("corpus"),
        "index": Path(".clippings"),
        "index_url": None,
        "index_token": None,
        "index_certificate": None,
        "model": "all-MiniLM-L6-v2",
        "reranker": "clippings",
        "max_file_bytes": 10_000_000,
        "limit": 3,
        "bot_token": None,
        "app_token": None,
        "signing_secret": None,
        "client_id": None,
        "client_secret": None,
        "token_key": None,
        "http_port": None,
        "http_host": "127.0.0.1",
        "api_url": "https://slack.com/api/",
        "database_url": None,
        "channels": "allowed",
        "collections": None,
        "health_port": None,
    }


def test_the_example_lists_every_variable_with_its_default_and_a_comment(tmp_path):
    """.env.example is complete, true, and explains each variable."""
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = re.findall(r"(?m)^# .+\n([A-Z_]+)=", example)
    assert listed == [variable_of(name) for name in Settings.model_fields]
    assert listed == re.findall(r"(?m)^([A-Z_]+)=", example)
    without = read()
    (tmp_path / ".env").write_text(example, encoding="utf-8")
    assert read() == without


def test_secrets_are_not_shown(monkeypatch):
    """Neither settings that are printed nor their dump tell a token."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-canary")
    monkeypatch.setenv("DATABASE_URL", "postgresql://bot:canary@host/name")
    settings = read()
    assert "canary" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.database == "postgresql://bot:canary@host/name"


def test_the_state_of_the_bot_lies_beside_the_index(tmp_path):
    """Deleting the index does not delete it."""
    assert read().database == f"sqlite:///{tmp_path / '.clippings-bot.db'}"


def test_an_option_wins_over_the_environment_which_wins_over_the_file(tmp_path, monkeypatch):
    """What is said nearest to the command counts."""
    (tmp_path / ".env").write_text("CLIPPINGS_CORPUS=file\nCLIPPINGS_LIMIT=7\n", encoding="utf-8")
    assert (read().corpus, read().limit) == (Path("file"), 7)
    monkeypatch.setenv("CLIPPINGS_CORPUS", "environment")
    assert read().corpus == Path("environment")
    assert read_settings(corpus=Path("option"), index=None).corpus == Path("option")


def test_an_empty_variable_is_an_unset_one(monkeypatch):
    """`CLIPPINGS_LIMIT= clippings ask` does not fail."""
    monkeypatch.setenv("CLIPPINGS_LIMIT", "")
    assert read().limit == 3


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    """In .env no shell replaces it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CLIPPINGS_INDEX", "~/index")
    assert read().index == tmp_path / "index"


def test_a_value_that_can_not_be_used_names_the_variable_and_the_remedy(monkeypatch):
    """The message has no value in it: it may be a secret in the wrong place."""
    monkeypatch.setenv("CLIPPINGS_LIMIT", "xoxb-secret")
    monkeypatch.setenv("CLIPPINGS_MAX_FILE_BYTES", "0")
    with pytest.raises(ConfigError) as caught:
        read()
    assert str(caught.value) == (
        "CLIPPINGS_MAX_FILE_BYTES can not be used: Input should be greater than or equal to 1. "
        "Set it to a whole number of bytes, 1 or more in the environment or in .env, or remove it\n"
        "CLIPPINGS_LIMIT can not be used: Input should be a valid integer, unable to parse string "
        "as an integer. Set it to a whole number of findings, 1 or more in the environment or in "
        ".env, or remove it"
    )


def test_an_env_file_that_is_not_text_is_named(tmp_path):
    """A .env saved as UTF-16 gets a remedy instead of a traceback."""
    (tmp_path / ".env").write_bytes("CLIPPINGS_LIMIT=3".encode("utf-16"))
    with pytest.raises(ConfigError, match=r"^\.env can not be read .* Save it as UTF-8"):
        read()


def test_without_an_address_the_index_itself_is_searched():
    """A token alone names no server."""
    assert Settings(INDEX_TOKEN=WHO, _env_file=None).engine is None


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("milvus://localhost", "milvus://localhost:19530"),
        ("milvus://10.0.0.1:1234/news", "milvus://10.0.0.1:1234/news"),
        ("milvus+tls://db.example.org:443/", "milvus+tls://db.example.org:443"),
        ("milvus://[::1]:19530", "milvus://[::1]:19530"),
    ],
)
def test_an_address_of_a_milvus_is_read(url, shown):
    """Port and database may be left out; the token is not part of what is shown."""
    engine = Settings(INDEX_URL=url, INDEX_TOKEN=WHO, _env_file=None).engine
    assert str(engine) == shown
    assert engine.token == WHO
    assert "secret" not in repr(engine)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:19530",
        "milvus://",
        "milvus://host:secret",
        "milvus://host/a/b",
        "milvus://host?token=secret",
        "milvus://root:secret@host",
        "milvus://host:99999",
    ],
)
def test_another_address_is_refused_and_not_repeated(url, monkeypatch):
    """It may hold a password."""
    monkeypatch.setenv("INDEX_URL", url)
    with pytest.raises(ConfigError, match=r"INDEX_URL can not be used: .* milvus://127") as refused:
        read()
    assert "secret" not in str(refused.value)
