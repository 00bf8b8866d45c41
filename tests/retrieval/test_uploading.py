"""A generation on Milvus: uploaded, counted, followed and dropped."""

import shutil
import threading
import time

import pytest

from retrieval import (
    DEFAULT_LIMIT_BYTES,
    EngineAway,
    EngineBehind,
    IndexBusy,
    build,
    look_up,
    open_library,
    open_milvus,
    read_url,
    upload,
)
from retrieval.generations import locked
from retrieval.milvus import Milvus
from retrieval.uploading import SPACE, host
from tests.retrieval.test_engines import quietly

FIRST = "The mayor of Zug resigned on Monday. Nobody knows why. The council meets on Friday."
SECOND = "The mayor of Bern was elected. She thanked her voters."


@pytest.fixture
def server(milvus_url, index):
    """A server, on which a test leaves nothing."""
    server = read_url(milvus_url)
    yield server
    drop_all(server, index)


@pytest.fixture(scope="module")
def process(start_milvus):
    """A server to be killed."""
    return start_milvus("wire")


@pytest.fixture
def index(tmp_path):
    return tmp_path / "index"


@pytest.fixture
def publish(encoder, tmp_path, index):
    """Index these texts: `publish(a=..., b=...)`; the generation's id comes back."""

    def build_of(**texts):
        folder = tmp_path / "articles"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, text in texts.items():
            (folder / f"{name}.txt").write_text(text, encoding="utf-8")
        return build(
            folder,
            index,
            encoder,
            limit_bytes=DEFAULT_LIMIT_BYTES,
            clock=time.time,
            wait=time.sleep,
            on_progress=quietly,
        ).generation

    return build_of


def space_of(index):
    return (index / SPACE).read_text("ascii").strip()


def drop_all(server, index):
    if (index / SPACE).exists():
        with Milvus(server) as milvus:
            for name in milvus.names():
                if f"_{space_of(index)}_" in name:
                    milvus.drop(name)


def names_of(server, index):
    """Give the collections of an index as (generation, table)."""
    with Milvus(server) as milvus:
        ours = [name for name in milvus.names() if f"_{space_of(index)}_" in name]
    return sorted(tuple(name.split("_")[-2:]) for name in ours)


def nearest(engine, library):
    """Ask for the first sentence by its own vector."""
    vector = library.sentence_vectors.vectors([0])[0]
    return engine.nominate((), vector, sentences=1, passages=1).sentence_vector


def test_what_is_uploaded_is_whole_and_opened(publish, index, server):
    """Every sentence and passage has its row; progress is told row by row."""
    generation = publish(a=FIRST, b=SECOND)
    told = []
    done = upload(index, server, on_progress=lambda *stage: told.append(stage))
    assert (done.generation, done.written, done.present, done.dropped) == (generation, 7, 0, ())
    assert told == [("uploading", 5, 7), ("uploading", 7, 7)]
    library = open_library(index, fingerprint=None)
    hosted = look_up(library, index, server)
    assert (hosted.sentences, hosted.passages, hosted.is_whole) == (5, 2, True)
    engine = open_milvus(library, index, server)
    assert nearest(engine, library) == (0,)
    engine.close()
    library.close()


def test_days_and_articles_are_beside_the_vectors(publish, index, server):
    """A row says which article it is of and when that was published, 0 where it does not say."""
    publish(a=f"Published: 2025-05-02\n\n{SECOND}", b="Undated.")
    upload(index, server, on_progress=quietly)
    (generation, _), *_ = names_of(server, index)
    with Milvus(server) as milvus:
        rows = milvus._client.query(
            f"clippings_v1_{space_of(index)}_{generation}_sentences",
            filter="row >= 0",
            output_fields=["article", "day"],
        )
    library = open_library(index, fingerprint=None)
    days = {article.path: article.published for article in library.articles}
    library.close()
    expected = {0: 20250502 if days["a.txt"] else 0, 1: 0}
    assert {row["article"]: row["day"] for row in rows} == expected


def test_an_upload_of_what_is_there_writes_nothing(publish, index, server):
    """Twice is once."""
    publish(a=FIRST)
    upload(index, server, on_progress=quietly)
    again = upload(index, server, on_progress=quietly)
    assert (again.written, again.present) == (0, 4)


def test_a_generation_that_was_not_uploaded_is_refused(publish, index, server):
    """Nothing else is searched in its place; the message says what to do."""
    publish(a=FIRST)
    library = open_library(index, fingerprint=None)
    with pytest.raises(EngineBehind, match=r"does not hold generation .* clippings index"):
        open_milvus(library, index, server)
    hosted = look_up(library, index, server)
    assert (hosted.sentences, hosted.passages, hosted.is_whole) == (None, None, False)
    library.close()


def test_an_upload_that_was_killed_goes_on_where_it_was(publish, index, server):
    """Nobody finds the half that is there; the next upload writes the other half."""

    class Killed(BaseException):
        pass

    def killed_at_four(_stage, done, _total):
        if done >= 4:
            raise Killed

    publish(a=FIRST, b=SECOND)
    library = open_library(index, fingerprint=None)
    (index / SPACE).write_text("0123456789ab\n", "ascii")
    with Milvus(server) as milvus, pytest.raises(Killed):
        host(milvus, library, "0123456789ab", on_progress=killed_at_four, block=2)
    with pytest.raises(EngineBehind):
        open_milvus(library, index, server)
    with Milvus(server) as milvus:
        assert host(milvus, library, "0123456789ab", on_progress=quietly, block=2)[2] == 3
    assert upload(index, server, on_progress=quietly).written == 0
    open_milvus(library, index, server).close()
    library.close()


def test_a_collection_that_lost_rows_is_refused_and_mended(publish, index, server):
    """Counts are compared at each opening; the next upload puts back what is missing."""
    generation = publish(a=FIRST, b=SECOND)
    upload(index, server, on_progress=quietly)
    with Milvus(server) as milvus:
        name = f"clippings_v1_{space_of(index)}_{generation}_sentences"
        milvus._client.delete(name, filter="row in [2]")
    library = open_library(index, fingerprint=None)
    with pytest.raises(EngineBehind, match="has 4 of 5 rows"):
        open_milvus(library, index, server)
    assert upload(index, server, on_progress=quietly).written == 5
    engine = open_milvus(library, index, server)
    assert nearest(engine, library) == (0,)
    engine.close()
    library.close()


def test_old_collections_stay_while_they_are_read_and_no_longer(publish, index, server):
    """Who holds a generation's folder holds its collections: one rule for both."""
    first = publish(a=FIRST)
    upload(index, server, on_progress=quietly)
    reading = open_library(index, fingerprint=None)
    engine = open_milvus(reading, index, server)
    second = publish(a=FIRST, b=SECOND)
    assert upload(index, server, on_progress=quietly).dropped == ()
    assert {generation for generation, _ in names_of(server, index)} == {first, second}
    assert nearest(engine, reading) == (0,)
    engine.close()
    reading.close()
    third = publish(b=SECOND)
    dropped = upload(index, server, on_progress=quietly).dropped
    assert {name.split("_")[-2] for name in dropped} == {first, second}
    assert names_of(server, index) == [(third, "passages"), (third, "sentences")]


def test_the_collections_of_another_index_are_left_alone(publish, index, server, tmp_path):
    """Two indexes of one server have two spaces, also with the same articles in them."""
    publish(a=FIRST)
    other = tmp_path / "other"
    shutil.copytree(index, other)
    upload(index, server, on_progress=quietly)
    upload(other, server, on_progress=quietly)
    theirs = names_of(server, other)
    publish(b=SECOND)
    upload(index, server, on_progress=quietly)
    assert names_of(server, other) == theirs
    drop_all(server, other)


def test_readers_never_see_half_while_generations_change(publish, index, server):
    """Two readers open and ask without a pause while three generations are uploaded."""
    publish(a=FIRST)
    upload(index, server, on_progress=quietly)
    asked, failed, over = [], [], threading.Event()

    def read():
        while not over.is_set():
            library = open_library(index, fingerprint=None)
            try:
                engine = open_milvus(library, index, server)
                asked.append((library.generation, nearest(engine, library)))
                engine.close()
            except EngineBehind:
                pass  # published here, being uploaded there: whoever holds the old one goes on
            except Exception as error:  # noqa: BLE001 - told by the test's own thread
                failed.append(error)
            finally:
                library.close()

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    seen = {asked_last(asked)}
    for texts in ({"a": FIRST, "b": SECOND}, {"b": SECOND}, {"a": FIRST}):
        publish(**texts)
        upload(index, server, on_progress=quietly)
        seen.add(asked_last(asked))
    over.set()
    for reader in readers:
        reader.join(timeout=30)
    assert failed == []
    assert {rows for _, rows in asked} == {(0,)}
    assert len(seen) == 3  # the last texts are the first: the same generation


def asked_last(asked):
    """Wait until somebody asks anew; give the generation that was asked."""
    count, end = len(asked), time.monotonic() + 60
    while len(asked) < count + 3:  # whoever was under way when the generation changed is done
        assert time.monotonic() < end, "nobody asks any more"
        time.sleep(0.01)
    return asked[-1][0]


def test_two_uploads_at_once_are_one(publish, index, server):
    """The lock of those who build is the lock of those who upload."""
    publish(a=FIRST)
    with locked(index), pytest.raises(IndexBusy):
        upload(index, server, on_progress=quietly)


def test_a_server_that_is_killed_while_rows_are_written_loses_none(publish, index, process):
    """Killed between two blocks and started again: pymilvus tries again, and all rows are there."""
    publish(a=FIRST, b=SECOND)
    library = open_library(index, fingerprint=None)
    kills = []

    def kill_at_two(_stage, done, _total):
        if done >= 2 and not kills:
            kills.append(done)
            process.kill()
            process.start()

    with Milvus(process.server) as milvus:
        *_, written = host(milvus, library, "0" * 12, on_progress=kill_at_two, block=1)
        names = milvus.names()
    assert (written, kills) == (7, [2])
    assert len(names) == 2
    library.close()


def test_a_server_that_is_away_is_said_to_be(publish, index, process):
    """While opening at once, while asking after some seconds; what to do is in the message."""
    publish(a=FIRST)
    upload(index, process.server, on_progress=quietly)
    library = open_library(index, fingerprint=None)
    engine = open_milvus(library, index, process.server)
    process.kill()
    with pytest.raises(EngineAway, match=rf"Milvus at {process.url} .* Start it"):
        nearest(engine, library)
    with pytest.raises(EngineAway, match="Start it, or correct INDEX_URL"):
        open_milvus(library, index, process.server)
    process.start()
    again = open_milvus(library, index, process.server)
    assert nearest(again, library) == (0,)
    again.close()
    engine.close()
    library.close()
