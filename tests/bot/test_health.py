"""What watches the bot sees whether it lives, whether it takes questions, and its figures."""

import urllib.error
import urllib.request

import pytest

from bot.health import HealthServer
from bot.metrics import Metrics


@pytest.fixture
def state():
    return {"alive": True, "ready": True}


@pytest.fixture
def server(state):
    metrics = Metrics()
    metrics.saw_event("mention", "taken")
    with HealthServer(
        port=0,
        is_alive=lambda: state["alive"],
        is_ready=lambda: state["ready"],
        figures=metrics.render,
    ) as server:
        yield server


def get(server, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_each_check_has_its_own_answer(server, state):
    """A bot may live and yet take no questions."""
    assert (get(server, "/healthz"), get(server, "/readyz")) == ((200, "ok\n"), (200, "ok\n"))
    state["ready"] = False
    assert (get(server, "/healthz"), get(server, "/readyz")) == ((200, "ok\n"), (503, "not now\n"))
    state["alive"] = False
    assert get(server, "/healthz") == (503, "not now\n")


def test_figures_are_shown(server):
    """What was counted stands there."""
    status, figures = get(server, "/metrics")
    assert status == 200
    assert 'clippings_events_total{result="taken",surface="mention"} 1.0' in figures


def test_nothing_else_is_there(server):
    """Another path is no page."""
    assert get(server, "/etc/passwd") == (404, "not found\n")


def test_server_listens_on_this_machine_alone(server):
    """The port is not open to the network."""
    assert server._server.server_address[0] == "127.0.0.1"
