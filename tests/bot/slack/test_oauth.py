"""Several workspaces: who may install the bot, where the tokens lie, and what each may cost."""

import http.client
import io
import socket
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.config import ConfigError, Settings
from bot.slack import oauth, web
from bot.slack.client import web_client
from bot.slack.installations import Installations, Installed, read_key
from bot.slack.oauth import COOKIE, INSTALL, REDIRECT, Installer
from bot.slack.posting import NotInstalled
from bot.store import open_store
from tests.bot.slack.waiting import answer_in, text_of
from tests.slack_server.oauth import CLIENT_ID, CLIENT_SECRET
from tests.slack_server.workspace import BOT_USER, Channel, User

KEY = Fernet.generate_key().decode()
RUBIO = "What did Rubio urge Pakistan to do?"
NOW = 1_795_000_000.0


class Clock:
    now = NOW

    def __call__(self):
        return self.now


@dataclass
class Site:
    """The pages, over a database of their own, behind the guard."""

    slack: object
    path: object
    key: str = KEY
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self):
        chosen = Settings(
            _env_file=None,
            SLACK_API_URL=self.slack.api_url,
            SLACK_CLIENT_ID=CLIENT_ID,
            SLACK_CLIENT_SECRET=CLIENT_SECRET,
            SLACK_HTTP_PORT=0,
        )

        def client(token):
            return web_client(chosen, token=token)

        self.store = open_store(f"sqlite:///{self.path}/bot.db", clock=self.clock)
        self.installations = Installations(
            self.store,
            client_id=CLIENT_ID,
            key=SecretStr(self.key),
            client=client,
            clock=self.clock,
        )
        installer = Installer(chosen, self.installations, self.store, client=client)
        self.guard = web.Guard(
            lambda *_: pytest.fail("it reached Bolt"),
            secret="s",  # noqa: S106
            clock=self.clock,
            pages=installer.pages,
        )

    def get(self, path, query="", cookie="", method="GET"):
        """Open a page; gives the status and the headers, and what it says."""
        seen = []
        body = self.guard(
            {
                "REQUEST_METHOD": method,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "HTTP_COOKIE": cookie,
                "wsgi.input": io.BytesIO(),
            },
            lambda status, headers, _info=None: seen.append((status, dict(headers))),
        )
        return *seen[0], b"".join(body).decode()

    def begin(self):
        """Go to Slack; gives where to, and the cookie."""
        status, headers, _ = self.get(INSTALL)
        assert status == "302 Found"
        return headers["location"], headers["set-cookie"].partition(";")[0]

    def install(self, team="T2"):
        location, cookie = self.begin()
        return self.get(REDIRECT, self.slack.web.consents.consent(location, team=team), cookie)


@pytest.fixture
def site(slack, tmp_path):
    site = Site(slack, tmp_path)
    yield site
    site.store.close()


def files_of(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_installing_goes_to_slack_and_comes_back_with_a_token(site, slack):
    """The address has the app, its scopes and a random state; the cookie has that state too."""
    location, cookie = site.begin()
    assert location.startswith(slack.api_url.removesuffix("/api/") + "/oauth/v2/authorize?")
    state = cookie.removeprefix(f"{COOKIE}=")
    assert oauth._STATE.fullmatch(state)
    assert f"state={state}" in location
    query = slack.web.consents.consent(location, team="T2")
    status, headers, said = site.get(REDIRECT, query, cookie)
    assert (status, said) == ("200 OK", "Clippings is installed. In Slack: /invite @Clippings\n")
    assert headers["set-cookie"] == (
        f"{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
    )
    us = site.installations.authorize("T2")
    assert (us.team_id, us.bot_user_id, us.bot_id) == ("T2", BOT_USER, "BBOT")
    assert site.installations.client_for("T2").auth_test()["team_id"] == "T2"
    assert site.installations.authorize("T1") is None


def test_the_database_holds_no_token_in_clear(site, tmp_path):
    """Neither the file nor its log; what lies there is a Fernet text."""
    site.install()
    token = site.installations.client_for("T2").token
    kept = files_of(tmp_path)
    assert token.startswith("xoxb-T2-")
    assert (b"xoxb" in kept, token.encode() in kept, b"gAAAAA" in kept) == (False, False, True)


def test_a_state_is_good_once_and_for_ten_minutes(site, slack):
    """Coming back twice, or too late, installs nothing."""
    location, cookie = site.begin()
    query = slack.web.consents.consent(location, team="T2")
    assert site.get(REDIRECT, query, cookie)[0] == "200 OK"
    assert site.get(REDIRECT, query, cookie)[0] == "400 Bad Request"
    location, cookie = site.begin()
    query = slack.web.consents.consent(location, team="T3")
    site.clock.now += 600
    status, _, said = site.get(REDIRECT, query, cookie)
    assert (status, "too old" in said) == ("400 Bad Request", True)
    assert len(slack.calls("oauth.v2.access")) == 1


@pytest.mark.parametrize("cookie", ["", f"{COOKIE}=", f"{COOKIE}={'0' * 36}", "a=b;;;=", "\x00"])
def test_another_browser_can_not_finish(site, slack, cookie):
    """Who lures somebody to the second page binds nobody to another's workspace."""
    location, _ = site.begin()
    query = slack.web.consents.consent(location, team="T2")
    assert site.get(REDIRECT, query, cookie)[0] == "400 Bad Request"
    assert slack.calls("oauth.v2.access") == []


STRANGE = (
    "../../etc/passwd",
    "..%2f" * 7 + "x",
    "/" * 36,
    "." * 36,
    "0" * 36 + "\n",
    "0" * 35,
    "\u0660" * 36,
    "%00" * 36,
    "' OR 1=1 --",
)


@pytest.mark.parametrize("state", STRANGE)
def test_a_state_that_is_no_state_is_not_looked_up(site, slack, tmp_path, state):
    """Also where the cookie says the same; no file is read or deleted by its name."""
    before = sorted(path.name for path in tmp_path.iterdir())
    status, _, said = site.get(REDIRECT, f"code=1.2.3&state={state}", f'{COOKIE}="{state}"')
    assert (status, state in said) == ("400 Bad Request", False)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert slack.calls("oauth.v2.access") == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(max_size=80), st.text(max_size=80))
def test_no_request_is_an_error(site, query, cookie):
    """Whatever a browser sends is answered in a few words."""
    status, _, said = site.get(REDIRECT, query, cookie)
    assert (status, len(said) < 100) == ("400 Bad Request", True)


@pytest.mark.parametrize("doubled", ["state", "code"])
def test_a_name_that_stands_twice_counts_for_nothing(site, slack, doubled):
    """Else the guard and what stands behind it could read two things."""
    location, cookie = site.begin()
    query = slack.web.consents.consent(location, team="T2")
    assert site.get(REDIRECT, f"{query}&{doubled}=x", cookie)[0] == "400 Bad Request"
    assert slack.calls("oauth.v2.access") == []


def test_who_declines_installs_nothing(site, slack):
    """Slack sends the browser back with an error; it is not repeated to anybody."""
    location, cookie = site.begin()
    state = cookie.partition("=")[2]
    status, _, said = site.get(REDIRECT, f"error=access_denied<b>&state={state}", cookie)
    assert (status, said) == ("400 Bad Request", "Nothing was installed.\n")
    assert location
    assert slack.calls("oauth.v2.access") == []


def test_a_code_that_slack_refuses_installs_nothing(site, slack, caplog):
    """The log has Slack's word for it, and not the code."""
    _, cookie = site.begin()
    state = cookie.partition("=")[2]
    assert site.get(REDIRECT, f"code=9.9.forged&state={state}", cookie)[0] == "502 Bad Gateway"
    assert "invalid_code" in caplog.text
    assert "forged" not in caplog.text
    slack.violations.clear()


def test_pages_are_opened_and_nothing_else(site):
    """POST is refused, and so is a path that only resembles one."""
    assert site.get(INSTALL, method="POST")[0] == "405 Method Not Allowed"
    assert site.get(f"{INSTALL}/")[0] == "404 Not Found"
    assert site.get(f"{REDIRECT}/../install")[0] == "404 Not Found"


def test_many_who_begin_fill_nothing(site):
    """A thousand may be at it; the next is asked to wait, and room comes with time."""
    for _ in range(1_000):
        assert site.store.issue_state(f"{_:036d}")
    assert site.get(INSTALL)[0] == "503 Service Unavailable"
    site.clock.now += 600
    assert site.get(INSTALL)[0] == "302 Found"


def test_a_workspace_that_is_removed_is_forgotten(site):
    """Its token is gone, and another's is not."""
    site.install("T2")
    site.install("T3")
    site.installations.remove("T2", NOW - 2)  # of an installation before this one
    assert site.installations.authorize("T2").team_id == "T2"
    site.installations.remove("T2", NOW)
    assert site.installations.authorize("T2") is None
    with pytest.raises(NotInstalled):
        site.installations.client_for("T2")
    assert site.installations.authorize("T3").team_id == "T3"


def test_a_workspace_whose_token_is_refused_waits_for_a_new_one(site):
    """No more calls are made there until it installs the bot again."""
    site.install("T2")
    assert site.installations.bar("T2", "token_revoked") is True
    with pytest.raises(NotInstalled):
        site.installations.client_for("T2")
    site.clock.now += 1
    site.install("T2")
    assert site.installations.client_for("T2").auth_test()["team_id"] == "T2"


@pytest.mark.parametrize(
    "key",
    ["", "too short", "ä" * 44, "0" * 44 + "=", KEY[:-2]],
    ids=["empty", "short", "letters", "long", "cut"],  # a key is another one at each run
)
def test_a_key_that_is_none_is_named_and_not_shown(key):
    """With the command that makes one."""
    with pytest.raises(ConfigError, match="CLIPPINGS_TOKEN_KEY is no key") as told:
        read_key(SecretStr(key))
    assert not key or key not in str(told.value)


def test_another_key_is_refused_at_the_start(slack, site, tmp_path):
    """Rather than when somebody asks."""
    site.installations.save(
        Installed(
            team="T2",
            app="A1",
            token=SecretStr("xoxb-secret"),
            scopes="commands",
            bot_id="B",
            bot_user="U",
        )
    )
    site.store.close()
    with pytest.raises(ConfigError, match="CLIPPINGS_TOKEN_KEY does not open the tokens") as told:
        Site(slack, tmp_path, key=Fernet.generate_key().decode())
    assert "xoxb" not in str(told.value)


# The bot as a process


def browse(address, path, cookie=""):
    """Open a page of the bot's as a browser does, without following where it leads."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    connection.request("GET", path, headers={"Cookie": cookie})
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    return response.status, dict(response.getheaders()), said


def install(slack, address, team):
    _, headers, _ = browse(address, INSTALL)
    headers = {name.lower(): value for name, value in headers.items()}
    query = slack.web.consents.consent(headers["location"], team=team)
    status, _, said = browse(
        address, f"{REDIRECT}?{query}", headers["set-cookie"].partition(";")[0]
    )
    assert status == 200, said
    number = team[1:]
    slack.add_user(User(id=f"U{number}0", name=f"u{number}0", team=team))
    members = {f"U{number}0", BOT_USER}
    for channel in (f"C{number}0", f"C{number}1"):
        slack.add_channel(Channel(id=channel, members=members, team=team))


def ask(slack, team, *, room="0"):
    number = team[1:]
    return slack.mention(RUBIO, user=f"U{number}0", channel=f"C{number}{room}")


def test_workspaces_install_ask_and_leave(manifest, start_slack, start_bot, tmp_path):
    """One whose token is refused, or that uninstalls, takes nothing from the others."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    slack = start_slack(manifest=manifest, request_url=f"{address}/slack/events", generosity=10)
    bot = start_bot(
        slack,
        folder=tmp_path,
        SLACK_HTTP_PORT=str(port),
        SLACK_BOT_TOKEN="",
        SLACK_CLIENT_ID=CLIENT_ID,
        SLACK_CLIENT_SECRET=CLIENT_SECRET,
        CLIPPINGS_TOKEN_KEY=KEY,
    )
    assert slack.wait_for(lambda: "listening" in bot.log or bot.process.poll(), 60)
    assert bot.process.poll() is None, bot.log
    for team in ("T2", "T3", "T4"):
        install(slack, address, team)
        ts = ask(slack, team)
        assert "urged Pakistan" in text_of(answer_in(slack, f"C{team[1:]}0", ts)["blocks"])

    slack.faults.fail_next("chat.postMessage", error="account_inactive", channel="C30")
    ask(slack, "T3")
    assert slack.wait_for(lambda: "workspace_stopped team=T3 code=account_inactive" in bot.log)
    posts = len(slack.calls("chat.postMessage"))
    again = ask(slack, "T3", room="1")
    slack.uninstall("T4")
    assert slack.wait_for(lambda: "workspace_removed team=T4" in bot.log)
    ts = ask(slack, "T2", room="1")
    answer_in(slack, "C21", ts)
    assert len(slack.calls("chat.postMessage")) == posts + 1
    assert slack.replies("C31", again) == []

    install(slack, address, "T3")
    ts = ask(slack, "T3", room="1")
    answer_in(slack, "C31", ts)
    kept = files_of(tmp_path)
    assert b"xoxb" not in kept
    assert not any(secret in bot.log for secret in (KEY, CLIENT_SECRET, "xoxb", ".code"))
    assert bot.stop() == 0


def test_what_is_missing_is_named(start_slack, start_bot, manifest):
    """Before anything is opened, and the key is not shown."""
    slack = start_slack(manifest=manifest, request_url="http://127.0.0.1:9/slack/events")
    extra = {"SLACK_HTTP_PORT": "0", "SLACK_BOT_TOKEN": "", "SLACK_CLIENT_ID": CLIENT_ID}
    bot = start_bot(slack, **extra)
    assert bot.process.wait(60) == 2
    assert "not set: SLACK_CLIENT_SECRET, CLIPPINGS_TOKEN_KEY." in bot.log
    extra |= {"SLACK_CLIENT_SECRET": CLIENT_SECRET, "CLIPPINGS_TOKEN_KEY": "not-a-key"}
    wrong = start_bot(slack, **extra)
    assert wrong.process.wait(60) == 2
    assert "CLIPPINGS_TOKEN_KEY is no key" in wrong.log
    assert "not-a-key" not in wrong.log
