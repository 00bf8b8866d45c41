"""client.py: connections are kept; what never left is told from what may have arrived."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from slack_sdk.errors import SlackApiError

from bot.slack.client import KeepingClient

TOKEN = "a token"  # noqa: S105 - of nobody


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.server.connections.append(self.connection)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, body, is_cut = self.server.answers.pop(0)
        if is_cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keep the tests' output clean."""


class Server(ThreadingHTTPServer):
    """Answers POSTs in the order that was given, and keeps every connection that was opened."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.connections: list[socket.socket] = []
        self.answers: list[tuple[int, dict, bytes, bool]] = []
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def will_answer(self, status=200, body=b'{"ok": true}', *, is_cut=False, **headers) -> None:
        self.answers.append((status, headers, body, is_cut))


@pytest.fixture
def server():
    made = Server()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def client(server, monkeypatch):
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    url = f"http://127.0.0.1:{server.server_address[1]}/api/"
    return KeepingClient(token=TOKEN, base_url=url, retry_handlers=[], timeout=2)


def test_calls_go_over_one_connection(server, client):
    """A handshake for each would cost more than the call."""
    for _ in range(5):
        server.will_answer()
        assert client.api_test()["ok"]
    assert len(server.connections) == 1


def test_a_connection_that_slack_closed_meanwhile_is_not_used(server, client):
    """After a quiet hour the first call must not fail."""
    server.will_answer()
    client.api_test()
    server.connections[0].shutdown(socket.SHUT_RDWR)
    server.will_answer()
    assert client.api_test()["ok"]
    assert len(server.connections) == 2


def test_a_response_that_is_lost_is_not_asked_for_again(server, client):
    """Slack may have carried it out: whoever called must look, so the call is made once."""
    server.will_answer(is_cut=True)
    server.will_answer()
    with pytest.raises(ConnectionError) as raised:
        client.api_test()
    assert not isinstance(raised.value, ConnectionRefusedError)
    assert len(server.answers) == 1


def test_what_was_never_sent_is_said_to_be_so(server, client):
    """Nobody listens there any more."""
    server.shutdown()
    server.server_close()
    with pytest.raises(ConnectionRefusedError):
        client.api_test()


def test_silence_ends_in_time(server, client):
    """The port is open, and nobody reads."""
    server.shutdown()
    with pytest.raises(TimeoutError):
        client.api_test()


@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_when_to_come_back_is_read_however_it_is_spelled(server, client, name):
    """HTTP/2 writes its headers small, and proxies change them."""
    server.will_answer(429, b'{"ok": false, "error": "ratelimited"}', **{name: "7"})
    with pytest.raises(SlackApiError) as raised:
        client.api_test()
    assert raised.value.response.headers["Retry-After"] == "7"
    assert raised.value.response.status_code == 429


def test_a_page_that_redirects_is_not_followed(server, client):
    """The token would go wherever it says."""
    server.will_answer(302, b"", Location="http://127.0.0.1:9/api/")
    with pytest.raises(SlackApiError):
        client.api_test()
    assert len(server.connections) == 1


def test_through_a_proxy_calls_go_as_ever(server, monkeypatch):
    """The proxy of the environment hears of the call; it is asked for the whole address."""
    proxy = f"http://127.0.0.1:{server.server_address[1]}"
    monkeypatch.setenv("HTTP_PROXY", proxy)
    server.will_answer()
    client = KeepingClient(token=TOKEN, base_url="http://slack.invalid/api/", retry_handlers=[])
    assert client.api_test()["ok"]
