"""The connection: addresses, encryption, tokens, and what is said when it fails."""

import base64
import datetime as dt
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from retrieval import EngineAway, MilvusServer, read_url
from retrieval.milvus import Milvus
from tests import milvus_servers

WHO = "root:a-secret-of-ours"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Make a certificate of «127.0.0.1» and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(tz=dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    (folder / "certificate.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return folder


@pytest.fixture(scope="module")
def encrypted(certificate, milvus_url):
    """Put encryption in front of a server; gives its address and the tokens that came by."""
    if milvus_servers.REAL:
        pytest.skip("a real Milvus has encryption of its own, or has none")
    import grpc

    tokens = []
    channel = grpc.insecure_channel(read_url(milvus_url).address)

    class Forwarder(grpc.GenericRpcHandler):
        def service(self, details):
            tokens.extend(
                value for key, value in details.invocation_metadata if key == "authorization"
            )
            call = channel.unary_unary(details.method)
            return grpc.unary_unary_rpc_method_handler(lambda asked, _context: call(asked))

    server = grpc.server(ThreadPoolExecutor(4), handlers=[Forwarder()])
    pair = [(certificate / name).read_bytes() for name in ("key.pem", "certificate.pem")]
    port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([tuple(pair)]))
    server.start()
    yield f"milvus+tls://127.0.0.1:{port}", tokens
    server.stop(grace=None).wait()
    channel.close()


def test_an_encrypted_connection_is_made_with_the_servers_certificate(encrypted, certificate):
    """And the token goes over it, as Milvus wants it."""
    url, tokens = encrypted
    server = replace(read_url(url), token=WHO, certificate=certificate / "certificate.pem")
    with Milvus(server) as milvus:
        assert milvus.version()
    assert base64.b64encode(WHO.encode()).decode() in tokens


def test_a_certificate_that_nobody_vouches_for_is_refused(encrypted):
    """Without its file, the authorities of the system decide; no word of ours reaches it."""
    url, tokens = encrypted
    before = list(tokens)
    with pytest.raises(EngineAway) as refused:
        Milvus(replace(read_url(url), token=WHO))
    assert tokens == before
    assert "a-secret" not in str(refused.value)


def test_what_is_to_be_encrypted_is_never_sent_in_the_clear(milvus_url):
    """Not even where an open connection to the same address is at hand."""
    with Milvus(read_url(milvus_url)) as milvus:
        assert milvus.version()
        with pytest.raises(EngineAway):
            Milvus(replace(read_url(milvus_url), is_encrypted=True))


def test_a_certificate_that_can_not_be_read_is_named(milvus_url, tmp_path):
    """The message says which file."""
    missing = replace(read_url(milvus_url), is_encrypted=True, certificate=tmp_path / "missing.pem")
    with pytest.raises(EngineAway, match=r"missing\.pem"):
        Milvus(missing)


def test_a_database_that_is_not_there_is_said(milvus_url):
    """By the server, in our sentence."""
    with (
        pytest.raises(EngineAway, match=r"nowhere.*Start it, or correct INDEX_URL"),
        Milvus(replace(read_url(milvus_url), database="nowhere")) as milvus,
    ):
        milvus.names()


def test_nobody_there_is_said_at_once():
    """A port where nothing listens."""
    pytest.importorskip("pymilvus")
    nobody = MilvusServer(host="127.0.0.1", port=1, database="", is_encrypted=False)
    with pytest.raises(EngineAway, match=r"Milvus at milvus://127\.0\.0\.1:1 does not"):
        Milvus(nobody)
