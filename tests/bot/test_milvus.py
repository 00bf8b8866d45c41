"""The surfaces where Milvus searches: index, ask, status, and the Desk."""

import shutil
import subprocess
import sys

import pytest

from bot.config import Settings
from bot.desk import LATER_S, Desk
from bot.wiring import build_index, open_engine, upload_index
from retrieval import (
    DEFAULT_MODEL,
    Answer,
    EngineAway,
    Question,
    current,
    load_encoder,
    read_url,
)
from retrieval.milvus import Milvus
from retrieval.uploading import SPACE
from tests.bot.conftest import environment

ASKED = "What did Rubio urge Pakistan to do?"
WHO = "root:a-secret-of-ours"
SPOKESPERSON = Question(text="Who is the spokesperson of the US State Department?")


def quietly(_stage, _done, _total):
    """Tell nobody how far it is."""


@pytest.fixture
def own(tmp_path, corpus, index, milvus_url):
    """Copy articles and index to change them, for a server on which nothing is left."""
    shutil.copytree(corpus, tmp_path / "corpus")
    shutil.copytree(index, tmp_path / "index")
    yield Settings(
        CLIPPINGS_CORPUS=tmp_path / "corpus",
        CLIPPINGS_INDEX=tmp_path / "index",
        INDEX_URL=milvus_url,
        _env_file=None,
    )
    for place in tmp_path.rglob(SPACE):
        space = place.read_text("ascii").strip()
        with Milvus(read_url(milvus_url)) as milvus:
            for name in milvus.names():
                if f"_{space}_" in name:
                    milvus.drop(name)


def desk_of(settings, now):
    return Desk(
        index=settings.index,
        encoder=load_encoder(DEFAULT_MODEL),
        open_engine=lambda library: open_engine(settings, library),
        open_reranker=lambda: None,
        clock=lambda: now[0],
    )


def test_index_uploads_ask_searches_there_and_status_tells(clippings, own):
    """The whole way of a user, by processes of their own."""
    variables = {
        "CLIPPINGS_CORPUS": str(own.corpus),
        "CLIPPINGS_INDEX": str(own.index),
        "INDEX_URL": own.index_url,
        "INDEX_TOKEN": WHO,
    }
    before = clippings("ask", ASKED, **variables)
    assert before.returncode == 2
    assert b"does not hold generation" in before.stderr

    indexed = clippings("index", **variables)
    assert indexed.returncode == 0, indexed.stderr
    assert f"{own.index_url}: 145 rows uploaded, 0 rows were there".encode() in indexed.stdout
    assert b"uploading: 145 of 145" in indexed.stderr

    asked = clippings("ask", ASKED, "--limit", "1", **variables)
    assert asked.returncode == 0, asked.stderr
    assert b"Rubio urged Pakistan to condemn the April 22 attack" in asked.stdout

    status = clippings("status", **variables)
    assert status.returncode == 0
    told = status.stdout.decode()
    assert f"engine      {own.index_url}" in told
    assert "97 sentences, 48 passages: whole, searched" in told
    printed = [before, indexed, asked, status]
    assert not any(b"a-secret" in done.stdout + done.stderr for done in printed)


def test_a_server_that_is_away_is_trouble_and_nothing_answers_in_its_place(clippings, own):
    """Exit code 2 and what to do; status tells the rest all the same."""
    variables = {"CLIPPINGS_INDEX": str(own.index), "INDEX_URL": "milvus://127.0.0.1:1"}
    (own.index / SPACE).write_text("0" * 12, "ascii")
    asked = clippings("ask", ASKED, **variables)
    assert (asked.returncode, asked.stdout) == (2, b"")
    assert b"Milvus at milvus://127.0.0.1:1 does not do what it is asked" in asked.stderr
    assert b"Start it, or correct INDEX_URL and INDEX_TOKEN" in asked.stderr
    status = clippings("status", **variables)
    assert status.returncode == 0
    assert b"engine      Milvus at milvus://127.0.0.1:1 does not" in status.stdout


def test_the_desk_keeps_the_old_generation_until_the_new_one_is_uploaded(own):
    """It looks again after some seconds, and answers meanwhile."""
    now = [1_000.0]
    upload_index(own, on_progress=quietly)
    with desk_of(own, now) as desk:
        old = desk.generation
        (own.corpus / "new.txt").write_text("Margaret Vole is the new mayor of Zug.")
        build_index(own, on_progress=quietly)
        first = desk.ask(SPOKESPERSON, limit=1)
        upload_index(own, on_progress=quietly)
        at_once = desk.ask(SPOKESPERSON, limit=1)
        now[0] += LATER_S
        later = desk.ask(Question(text="Who is the new mayor of Zug?"), limit=1)
    assert (first.generation, at_once.generation) == (old, old)
    assert later.generation == current(own.index) != old
    assert isinstance(later, Answer)
    assert later.findings[0].lead.text == "Margaret Vole is the new mayor of Zug."


def test_a_question_ends_in_trouble_while_the_server_is_silent(own, start_milvus):
    """The next one is answered once it is back: nothing has to be opened anew."""
    process = start_milvus("wire")
    settings = own.model_copy(update={"index_url": process.url})
    upload_index(settings, on_progress=quietly)
    with desk_of(settings, [0.0]) as desk:
        answered = desk.ask(SPOKESPERSON, limit=1)
        with process.paused(), pytest.raises(EngineAway):
            desk.ask(SPOKESPERSON, limit=1)
        assert desk.ask(SPOKESPERSON, limit=1) == answered
    process.kill()


def test_settings_hide_the_token():
    """In what is printed, logged or raised."""
    settings = Settings(INDEX_URL="milvus://h", INDEX_TOKEN=WHO, _env_file=None)
    assert "a-secret" not in f"{settings!r} {settings} {settings.engine!r} {settings.engine}"


def test_pymilvus_leaves_the_environment_and_stderr_alone():
    """It would read a `.env` into the environment, and log each error with its request."""
    pytest.importorskip("pymilvus")
    script = """
import logging, os
import dotenv
dotenv.load_dotenv = lambda *a, **k: os.environ.update(LEAKED="1")
from retrieval import EngineAway, read_url
from retrieval.milvus import Milvus
before = dict(os.environ)
try:
    Milvus(read_url("milvus://127.0.0.1:1"))
except EngineAway:
    print({k for k in os.environ if os.environ[k] != before.get(k)} or "nothing")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    assert "LEAKED" not in done.stdout
    assert done.stderr == ""


def test_without_pymilvus_the_extra_is_named(own):
    """`INDEX_URL` alone is not enough; asking without it needs nothing new."""
    script = (
        "import sys; sys.modules['pymilvus'] = None; from bot.cli import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "--index", own.index, "index", own.corpus],
        capture_output=True,
        env=environment({"INDEX_URL": own.index_url}),
        check=False,
        text=True,
    )
    assert done.returncode == 2
    assert "pymilvus is not installed. Install it: pip install '.[milvus]'" in done.stderr
