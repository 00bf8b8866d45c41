"""web.py: what reaches Bolt is what Slack signed, once."""

import hashlib
import hmac
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.web import MOST_BYTES, PATH, Guard

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"  # noqa: S105 - of nothing
NOW = 1_795_000_000


def signed(body, *, at=NOW, secret=SECRET):
    """Give a request as Slack signs it."""
    text = f"v0:{at}:".encode() + body
    signature = "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_X_SLACK_REQUEST_TIMESTAMP": str(at),
        "HTTP_X_SLACK_SIGNATURE": signature,
        "wsgi.input": io.BytesIO(body),
    }


class Door:
    """A guard with something behind it that takes down what comes through."""

    def __init__(self, answers="200 OK"):
        self.passed, self.status = [], None
        self.answers = answers
        self.guard = Guard(self._inner, secret=SECRET, clock=lambda: NOW)

    def _inner(self, environ, start_response):
        self.passed.append(environ["wsgi.input"].read())
        start_response(self.answers, [])
        return [b""]

    def knock(self, request):
        def start_response(status, _headers, _exc_info=None):
            self.status = status

        self.guard(request, start_response)
        return self.status


def test_what_slack_signed_comes_through_as_it_is():
    """Byte for byte."""
    door = Door()
    assert door.knock(signed(b'{"a": "\xc3\xa4"}')) == "200 OK"
    assert door.passed == [b'{"a": "\xc3\xa4"}']


WRONG = {
    "another path": ({"PATH_INFO": "/"}, "404 Not Found"),
    "GET": ({"REQUEST_METHOD": "GET"}, "405 Method Not Allowed"),
    "no length": ({"CONTENT_LENGTH": ""}, "411 Length Required"),
    "no number": ({"CONTENT_LENGTH": "-1"}, "411 Length Required"),
    "too long": ({"CONTENT_LENGTH": str(MOST_BYTES + 1)}, "413 Content Too Large"),
    "no signature": ({"HTTP_X_SLACK_SIGNATURE": ""}, "401 Unauthorized"),
    "not ASCII": ({"HTTP_X_SLACK_SIGNATURE": "v0=ä"}, "401 Unauthorized"),
    "forged": ({"HTTP_X_SLACK_SIGNATURE": "v0=" + "0" * 64}, "401 Unauthorized"),
    "no number as time": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "now"}, "401 Unauthorized"),
    "other digits": ({"HTTP_X_SLACK_REQUEST_TIMESTAMP": "١٢٣"}, "401 Unauthorized"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_slacks_is_refused(what):
    """Nothing behind the guard sees it."""
    door = Door()
    fields, status = WRONG[what]
    assert door.knock({**signed(b"{}"), **fields}) == status
    assert door.passed == []


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_stale_request_is_refused(seconds):
    """Five minutes either way, as Slack asks."""
    door = Door()
    assert door.knock(signed(b"{}", at=NOW + seconds)) == "401 Unauthorized"
    assert door.knock(signed(b"{}", at=NOW + seconds - seconds // abs(seconds))) == "200 OK"


def test_a_replay_is_refused_and_a_failure_may_be_repeated():
    """What was not taken may come again; what was taken may not."""
    door = Door()
    assert [door.knock(signed(b"{}")) for _ in range(2)] == ["200 OK", "401 Unauthorized"]
    failing = Door(answers="500 Internal Server Error")
    assert {failing.knock(signed(b"{}")) for _ in range(2)} == {"500 Internal Server Error"}
    assert failing.passed == [b"{}", b"{}"]


@given(
    st.dictionaries(
        st.sampled_from(list(signed(b"{}"))[:-1]), st.text(max_size=20) | st.none(), max_size=5
    ),
    st.binary(max_size=50),
)
def test_no_request_is_an_error(fields, body):
    """Whatever the internet sends is answered, and stays outside."""
    door = Door()
    status = door.knock({**signed(body, secret=SECRET[::-1]), **fields})
    assert status in {
        "401 Unauthorized",
        "404 Not Found",
        "405 Method Not Allowed",
        "411 Length Required",
        "413 Content Too Large",
    }
    assert door.passed == []
