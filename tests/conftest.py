"""What all tests share: the real model, the real corpus, and no network."""

import ipaddress
import json
import socket
import time
from pathlib import Path

import pytest

from retrieval import (
    DEFAULT_LIMIT_BYTES,
    DEFAULT_MODEL,
    OWN,
    Encoder,
    Reranker,
    build,
    load_encoder,
    load_reranker,
    open_library,
)
from tests import milvus_servers
from tests.milvus_servers import MilvusProcess
from tests.slack_server import SlackServer

CORPUS = Path(__file__).parent.parent / "corpus"
MANIFEST = Path(__file__).parent.parent / "bot" / "manifest.json"


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return load_encoder(DEFAULT_MODEL)


@pytest.fixture(scope="session")
def reranker() -> Reranker:
    return load_reranker(OWN)


@pytest.fixture(scope="session")
def corpus() -> Path:
    return CORPUS


@pytest.fixture(scope="session")
def open_folder(encoder, tmp_path_factory):
    """Index a folder of articles and open it: `open_folder(folder)` gives a Library."""
    opened = []

    def index_and_open(folder: Path):
        index = tmp_path_factory.mktemp("index")
        build(
            folder,
            index,
            encoder,
            limit_bytes=DEFAULT_LIMIT_BYTES,
            clock=time.time,
            wait=time.sleep,
            on_progress=lambda _stage, _done, _total: None,
        )
        opened.append(open_library(index, fingerprint=encoder.fingerprint))
        return opened[-1]

    yield index_and_open
    for library in opened:
        library.close()


@pytest.fixture(scope="session")
def library(open_folder, corpus):
    """The five articles, indexed and opened."""
    return open_folder(corpus)


@pytest.fixture(scope="session")
def start_milvus(tmp_path_factory):
    """Start servers of our own: `start_milvus("wire")` gives a MilvusProcess."""
    servers = []

    def start(kind: str) -> MilvusProcess:
        reason = milvus_servers.missing(kind)
        if reason or milvus_servers.REAL:
            pytest.skip(reason or "a real Milvus is neither started nor killed")
        servers.append(MilvusProcess(kind, tmp_path_factory.mktemp("milvus")))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def milvus_url(start_milvus):
    """A Milvus with all that we use: the real one that is named, or one of our own."""
    if milvus_servers.missing("wire") is None and milvus_servers.REAL:
        return milvus_servers.real_url()
    return start_milvus("wire").url


@pytest.fixture
def start_slack():
    """Start stand-ins for Slack: `start_slack(**options)` gives a SlackServer.

    At the end nobody may have sent them what Slack refuses; a test that does so on purpose looks at
    `slack.violations` and clears it.
    """
    servers = []

    def start(**options) -> SlackServer:
        manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
        servers.append(SlackServer(**{"manifest": manifest, **options}))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()
    assert [violation for server in servers for violation in server.violations] == []


@pytest.fixture
def slack(start_slack):
    """A stand-in for Slack, for the app of our manifest, in Slack's own time."""
    return start_slack()


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    """Refuse every connection that leaves this machine."""
    connect = socket.socket.connect

    def connect_here(self, address):
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise PermissionError(f"a test must not reach {address!r}")
        return connect(self, address)

    socket.socket.connect = connect_here
    yield
    socket.socket.connect = connect


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
