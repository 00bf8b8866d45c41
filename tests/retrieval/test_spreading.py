"""`retrieval.spreading`: a cluster makes the very bytes that one process makes."""

import shutil
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from distributed import get_task_stream
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import assembling, orders, spreading
from retrieval.cutting import cut
from retrieval.datatypes import Article
from retrieval.embedding import Encoder
from retrieval.errors import ClusterFault, IndexMissing
from retrieval.generations import current
from retrieval.indexing import Report, build
from retrieval.making import make_segment
from retrieval.reuse import Known, carried, hashes_of_contexts
from retrieval.segments import open_segment, segment_id
from retrieval.shards import Draft, finished_shards
from tests.dask_cluster import DaskCluster, Kennel, wait_until
from tests.drawing import DrawnEncoder

SHARDS = 10


@pytest.fixture(scope="module")
def start_cluster(tmp_path_factory):
    """Start clusters: `start_cluster(workers=3)` gives a DaskCluster."""
    clusters = []
    kennel = Kennel(tmp_path_factory.mktemp("dask"))

    def start(workers: int, allowed_failures: int = 3) -> DaskCluster:
        clusters.append(DaskCluster(kennel, workers=workers, allowed_failures=allowed_failures))
        return clusters[-1]

    yield start
    for cluster in clusters:
        cluster.close()
    kennel.close()


@pytest.fixture(scope="module")
def cluster(start_cluster):
    """Three workers; tests may kill one of them."""
    return start_cluster(3)


@pytest.fixture(scope="module")
def folder(corpus, tmp_path_factory):
    """The articles of the repository, each cut in four: twenty articles."""
    folder = tmp_path_factory.mktemp("corpus")
    for path in corpus.glob("*.txt"):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        for part in range(4):
            text = "".join(lines[len(lines) * part // 4 : len(lines) * (part + 1) // 4])
            (folder / f"{path.stem}_{part}.txt").write_text(text, "utf-8")
    return folder


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(assembling, "SHARD_BYTES", 1000)  # some two articles


def ignore(_stage: str, _done: int, _total: int) -> None:
    pass


def build_on(
    address: str | None,
    folder: Path,
    index: Path,
    encoder: Encoder,
    on_progress: Callable[[str, int, int], None] = ignore,
) -> Report:
    return build(
        folder,
        index,
        encoder,
        limit_bytes=10**7,
        clock=lambda: time.time() + 3600,
        wait=lambda _seconds: None,
        on_progress=on_progress,
        cluster=address,
    )


def files_of(index: Path) -> dict[str, bytes]:
    generation = index / current(index)
    return {file.name: file.read_bytes() for file in generation.iterdir()}


@pytest.fixture(scope="module")
def here(folder, encoder, tmp_path_factory):
    """The index of the folder, built in this process."""
    index = tmp_path_factory.mktemp("here")
    build_on(None, folder, index, encoder)
    return index


def made_of(stream) -> set[str]:
    """Give the ids of the shards that workers made."""
    return {each["key"].split("-")[1] for each in stream.data}


def test_a_worker_that_is_killed_changes_no_byte(cluster, folder, here, encoder, tmp_path):
    """Kill -9 in the middle of a shard: the same id, and the same files."""
    index, killed, seen = tmp_path / "index", [], []
    there: tuple[str, ...] = ()

    def kill_one(stage, done, total):
        nonlocal there
        seen.append((stage, done, total))
        if stage == "encoding" and not killed:
            killed.append(cluster.kill_one_at_work())
            there = finished_shards(index)

    report = build_on(cluster.address, folder, index, encoder, kill_one)
    assert len(killed) == 1
    assert killed[0].split("-")[1] not in there
    assert report.generation == current(here)
    assert files_of(index) == files_of(here)
    encoded = [(done, total) for stage, done, total in seen if stage == "encoding"]
    assert encoded == sorted(encoded)
    assert encoded[-1][0] == encoded[-1][1] == sum(f.stat().st_size for f in folder.iterdir())


def test_what_was_finished_is_not_made_again(cluster, folder, here, encoder, tmp_path):
    """Ctrl-C takes the orders back; the next build orders only what is missing."""
    index = tmp_path / "index"

    def stop(stage, _done, _total):
        if stage == "encoding" and len(finished_shards(index)) >= 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_on(cluster.address, folder, index, encoder, stop)
    wait_until(cluster.is_idle)
    finished = set(finished_shards(index))
    assert 3 <= len(finished) < SHARDS
    with get_task_stream(cluster.client) as stream:
        build_on(cluster.address, folder, index, encoder)
    assert len(made_of(stream)) == SHARDS - len(finished)
    assert not made_of(stream) & finished
    assert files_of(index) == files_of(here)


def test_what_is_known_goes_along(cluster, folder, here, encoder, tmp_path):
    """An article that was moved and one that is new: the same as a build in one process."""
    grown = tmp_path / "grown"
    grown.mkdir()
    for path in folder.iterdir():
        (grown / path.name).write_bytes(path.read_bytes())
    (grown / "new.txt").write_text("The ministers met in Geneva. They will meet again.\n")
    min(grown.iterdir()).rename(grown / "moved.txt")
    reports = {}
    for name, address in (("there", cluster.address), ("here", None)):
        index = tmp_path / name
        shutil.copytree(here, index)
        reports[name] = build_on(address, grown, index, encoder)
    assert reports["there"] == reports["here"]
    assert files_of(tmp_path / "there") == files_of(tmp_path / "here")


def test_a_worker_with_another_model_is_refused(cluster, folder, encoder, tmp_path):
    """The fingerprint that is ordered is not the worker's: an error that says what to do."""
    other = Encoder(model=encoder.model, folder=encoder._folder, fingerprint="0" * 64)
    with pytest.raises(ClusterFault, match=r"(?s)worker tcp://.* other vectors .* same model"):
        build_on(cluster.address, folder, tmp_path / "index", other)
    with pytest.raises(IndexMissing):
        current(tmp_path / "index")


def test_a_worker_without_the_model_is_refused(cluster, folder, encoder, tmp_path):
    """A folder that only this machine has."""
    other = Encoder(model="/no/such/model", folder=encoder._folder, fingerprint="0" * 64)
    with pytest.raises(ClusterFault, match=r"worker tcp://.* has no such model\. .*/no/such/model"):
        build_on(cluster.address, folder, tmp_path / "index", other)


def test_a_worker_with_other_software_is_refused(cluster, folder, encoder, tmp_path, monkeypatch):
    """It would make other bytes; the error names what differs."""
    traits = tuple((n, "0.1" if n == "nupunkt" else v) for n, v in orders.traits_here())
    monkeypatch.setattr(orders, "traits_here", lambda: traits)
    with pytest.raises(ClusterFault, match=r"another version of nupunkt \(.*, not 0\.1\)\. "):
        build_on(cluster.address, folder, tmp_path / "index", encoder)


def test_a_cluster_without_workers_and_a_shard_that_always_fails(
    start_cluster, folder, encoder, tmp_path, monkeypatch
):
    """Both end the build; the second error names the shard."""
    monkeypatch.setattr(spreading, "PATIENCE_S", 0.5)
    lonely = start_cluster(0, allowed_failures=0)
    with pytest.raises(ClusterFault, match="has no workers"):
        build_on(lonely.address, folder, tmp_path / "index", encoder)
    lonely.start_workers(1)
    killed = []

    def kill_one(stage, _done, _total):
        if stage == "encoding" and not killed:
            killed.append(lonely.kill_one_at_work())

    with pytest.raises(ClusterFault, match=r"had shard \w{16} \(.*txt to .*txt\) died, 1 "):
        build_on(lonely.address, folder, tmp_path / "index", encoder, kill_one)


def test_a_scheduler_that_is_killed(start_cluster, folder, encoder, tmp_path):
    """The build ends with an error, and keeps what is finished."""
    cluster = start_cluster(1)

    def kill(stage, _done, _total):
        if stage == "encoding" and finished_shards(tmp_path / "index"):
            cluster.kill_scheduler()

    with pytest.raises(ClusterFault, match=f"{cluster.address}: the connection was lost"):
        build_on(cluster.address, folder, tmp_path / "index", encoder, kill)
    assert finished_shards(tmp_path / "index")


def test_nobody_listens(folder, encoder, tmp_path, monkeypatch):
    """The error comes soon, and names the address."""
    monkeypatch.setattr(spreading, "CONNECT_S", 0.5)
    with socket.socket() as taken:  # bound, and not listened to
        taken.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ClusterFault, match=f"No Dask scheduler answers at {address}: "):
            build_on(address, folder, tmp_path / "index", encoder)


@pytest.mark.parametrize("address", ["", "localhost", "localhost:8786", "x://127.0.0.1:1"])
def test_an_address_that_is_none(address, folder, encoder, tmp_path):
    """No cluster is started for it, and nothing is looked up."""
    with pytest.raises(ClusterFault, match="Dask scheduler"):
        build_on(address, folder, tmp_path / "index", encoder)


def test_without_dask_the_error_says_what_to_install(folder, encoder, tmp_path, monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterFault, match=r"pip install 'clippings\[dask\]'"):
        build_on("tcp://127.0.0.1:1", folder, tmp_path / "index", encoder)


def segment_of(texts, folder, known):
    """Make a segment of some texts; give it, and how many texts were encoded for it."""
    encoder = DrawnEncoder(width=8)
    articles = [Article(path=f"{i}.txt", raw=t.encode(), text=t) for i, t in enumerate(texts)]
    draft = Draft(folder)
    make_segment(draft, articles, encoder=encoder, known=known, on_share=lambda _share: None)
    pairs = ((each.path, bytes.fromhex(each.digest)) for each in articles)
    identity = segment_id(pairs, fingerprint=encoder.fingerprint)
    return open_segment(identity, draft.files), encoder.asked


def hashes_of(articles):
    """Give the hashes of what is encoded of some articles."""
    return hashes_of_contexts([context for each in articles for context in cut(each).contexts()])


SENTENCES = st.lists(
    st.sampled_from(["It rained.", "They met on Monday.", "Prices rose.", "He left. He left."]),
    min_size=1,
    max_size=4,
).map(" ".join)


@settings(max_examples=20, deadline=None)  # each writes and syncs twenty files
@given(
    before=st.lists(SENTENCES, min_size=1, max_size=3),
    now=st.lists(SENTENCES, min_size=1, max_size=3),
)
def test_vectors_that_are_carried_are_those_that_are_known(before, now, tmp_path_factory):
    """What a source gives directly, it gives by way of bytes."""
    folder = tmp_path_factory.mktemp("segment")
    segment, _ = segment_of(before, folder, Known())
    hashes = hashes_of(Article(path="a.txt", raw=text.encode(), text=text) for text in now)
    sent = carried(Known([segment]), hashes, width=8)
    direct, by_way = (np.zeros((hashes.shape[1], 8), np.float32) for _ in range(2))
    found = Known([segment]).take(hashes, direct)
    assert sent.take(hashes, by_way).tolist() == found.tolist()
    assert by_way.tolist() == direct.tolist()


def test_what_is_carried_is_not_encoded(tmp_path):
    """The same articles again, with all their vectors: the same files, and nothing is encoded."""
    texts = ["It rained. They met on Monday.", "Prices rose."]
    for name in ("before", "now"):
        (tmp_path / name).mkdir()
    before, asked = segment_of(texts, tmp_path / "before", Known())
    assert asked == 3  # sentences, as they read in context
    hashes = hashes_of(before.article(number) for number in range(2))
    sent = carried(Known([before]), hashes, width=8)
    now, asked = segment_of(texts, tmp_path / "now", sent)
    assert asked == 0
    assert {n: f.promise for n, f in now.files.items()} == {
        n: f.promise for n, f in before.files.items()
    }
