"""`retrieval.indexing` over time: whatever happens to the articles or to a build, nothing is lost.

Vectors are drawn (`tests.drawing`); that real ones are re-used bit for bit is in `test_indexing`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import (
    DEFAULT_LIMIT_BYTES,
    Answer,
    CorpusError,
    IndexDamaged,
    IndexMismatch,
    IndexUnwritable,
    Memory,
    Question,
    answer,
    build,
    current,
    open_library,
)
from retrieval.generations import MANIFEST
from retrieval.shards import finished_shards
from tests.drawing import DrawnEncoder
from tests.retrieval.test_generations import Interrupted, killed, names_in, no_room

ROOT = Path(__file__).parent.parent.parent
ENCODER = DrawnEncoder(width=8)
SENTENCES = (
    "The minister met the envoy in Lahore.",
    "They talked about water.",
    "Prices rose by 4 per cent.",
    "Rubio urged Pakistan to help.",
    "Zürich was cold.",
)
QUESTIONS = ("Whom did the minister meet?", "What did Rubio urge?", "How much did prices rise?")


def ignore(_stage, _done, _total):
    """Take progress and do nothing with it."""


def build_drawn(corpus, index, *, memory=None, encoder=ENCODER, changed=None, on_progress=ignore):
    return build(
        corpus,
        index,
        encoder,
        limit_bytes=DEFAULT_LIMIT_BYTES,
        clock=lambda: time.time() + 3600,
        wait=lambda _seconds: None,
        on_progress=on_progress,
        memory=memory,
        changed=changed,
    )


def answers_of(library):
    """Give all that a library holds, and what it answers."""
    questions = [Question(text=text) for text in QUESTIONS]
    replies = [answer(question, library, ENCODER, None, limit=3) for question in questions]
    asked = ENCODER.encode(["What did Rubio urge?"])[0]
    stems = ["minister", "water", "price", "rubio", "zurich"]
    return (
        [(each.path, each.raw, each.published) for each in library.articles],
        [(each.row, each.article.path, each.span, each.passage) for each in library.sentences],
        [(each.row, each.article.path, each.span, each.sentences) for each in library.passages],
        [
            vectors.vectors(range(vectors.size)).tolist()
            for vectors in (
                library.sentence_vectors,
                library.passage_vectors,
            )
        ],
        [
            library.sentence_vectors.search(asked, k=9),
            library.sentence_words.best(stems, k=9),
            library.passage_words.best(stems, k=9),
            [library.sentence_words.idf(stem) for stem in stems],
        ],
        [
            (reply.confidence, [(f.lead.id, f.score, f.evidence) for f in reply.findings])
            if isinstance(reply, Answer)
            else (reply.confidence, [quote.id for quote in reply.nearest])
            for reply in replies
        ],
    )


CHANGES = st.lists(
    st.fixed_dictionaries(
        {
            "what": st.sampled_from(["write", "remove", "move"]),
            "one": st.integers(0, 7),
            "other": st.integers(0, 7),
            "text": st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=8).map(" ".join),
            "day": st.sampled_from(["", "2025-05-01\n\n", "2025-05-02\n\n"]),
        }
    ),
    min_size=1,
    max_size=4,
)


def change(folder, *, one, other, what, text, day):
    place = folder / f"{one}.txt"
    if what == "write":
        place.write_text(f"{day}{text}\n", "utf-8")
    elif place.exists() and what == "remove":
        place.unlink()
    elif place.exists():
        place.rename(folder / f"{other}.txt")


@settings(max_examples=25, deadline=None)
@given(passes=st.lists(CHANGES, min_size=1, max_size=4))
def test_any_sequence_of_changes_answers_as_one_build_from_nothing(passes):
    """Rows, vectors, scores and leads, to the last bit; with and without what was remembered."""
    with tempfile.TemporaryDirectory() as place:
        folder, index = Path(place) / "corpus", Path(place) / "index"
        folder.mkdir()
        for number in range(30):  # enough that one change is small
            (folder / f"base-{number}.txt").write_text(
                f"Report {number}. {' '.join(SENTENCES[: number % 5])}\n", "utf-8"
            )
        memory = Memory()
        build_drawn(folder, index, memory=memory)
        library = open_library(index, fingerprint=ENCODER.fingerprint)
        for number, changes in enumerate(passes):
            for each in changes:
                change(folder, **each)
            build_drawn(folder, index, memory=memory if number % 2 else None)
            before, library = (
                library,
                open_library(index, fingerprint=ENCODER.fingerprint, before=library),
            )
            before.close()
        build_drawn(folder, Path(place) / "fresh")
        fresh = open_library(Path(place) / "fresh", fingerprint=ENCODER.fingerprint)
        assert fresh.facts == library.facts
        assert answers_of(fresh) == answers_of(library)
        library.close()
        fresh.close()


PLACES = st.sampled_from(["a.txt", "b.txt", "in/a.txt", "in/b.txt", "out/c.txt", "in", "out"])


def move(folder, old, new):
    """Do what can be done, and give the paths that a watcher tells of."""
    source, target = folder / old, folder / new
    if old == new:
        if source.suffix:
            source.parent.mkdir(exist_ok=True)
            source.write_text(SENTENCES[len(old) % 5], "utf-8")
            return {old, str(Path(old).parent)} - {"."}
        shutil.rmtree(source, ignore_errors=True)
        return {old}
    if not source.exists() or target.exists() or source in target.parents:
        return set()
    target.parent.mkdir(exist_ok=True)
    source.rename(target)
    return {old, new, str(Path(new).parent)} - {"."}


@settings(max_examples=25, deadline=None)
@given(
    passes=st.lists(
        st.lists(st.tuples(PLACES, PLACES), min_size=1, max_size=3), min_size=1, max_size=4
    )
)
def test_looking_where_something_changed_finds_what_looking_everywhere_finds(passes):
    """Files and folders are written, moved and removed; the watcher tells of them alone."""
    with tempfile.TemporaryDirectory() as place:
        folder, index = Path(place) / "corpus", Path(place) / "index"
        folder.mkdir()
        for number in range(9):
            (folder / f"base-{number}.txt").write_text(f"Report {number}.\n", "utf-8")
        memory = Memory()
        build_drawn(folder, index, memory=memory)
        for moves in passes:
            told = set().union(*(move(folder, old, new) for old, new in moves))
            found = build_drawn(folder, index, memory=memory, changed=told)
            everything = build_drawn(folder, Path(place) / "fresh")
            assert found.skipped == everything.skipped
            assert facts_of(index) == facts_of(Path(place) / "fresh")


def facts_of(index):
    with closing(open_library(index, fingerprint=None)) as library:
        return library.facts


@pytest.fixture
def folder(tmp_path):
    """Forty short articles: one more is a small change."""
    (tmp_path / "corpus").mkdir()
    for number in range(40):
        text = f"Report {number} of the day. {SENTENCES[number % 5]} It was noted.\n"
        (tmp_path / "corpus" / f"{number:02}.txt").write_text(text, "utf-8")
    return tmp_path / "corpus"


def segments_of(index):
    manifest = json.loads((index / current(index) / MANIFEST).read_bytes())
    return manifest["facts"]["segments"]


def inodes_of(index, segment):
    files = (index / current(index)).glob(f"{segment}.*")
    return {file.name: file.stat().st_ino for file in files}


def test_one_more_article_is_one_more_segment(folder, tmp_path):
    """What was there is the same files; only the new text is encoded."""
    index, encoder = tmp_path / "index", DrawnEncoder(width=8)
    build_drawn(folder, index, encoder=encoder)
    [base] = segments_of(index)
    inodes = inodes_of(index, base)
    encoder.asked = 0
    (folder / "new.txt").write_text("Quuxville grew.\n", "utf-8")
    report = build_drawn(folder, index, encoder=encoder)
    assert len(segments_of(index)) == 2
    assert encoder.asked == 1
    assert (report.unchanged, report.published) == (40, True)
    assert inodes_of(index, base) == inodes
    assert not (index / "shards").exists()


def test_only_what_changed_is_looked_at(folder, tmp_path):
    """Of forty-one files one is read, and it is found."""
    index, memory, read = tmp_path / "index", Memory(), []

    def note(stage, _done, total):
        if stage == "reading":
            read.append(total)

    build_drawn(folder, index, memory=memory)
    (folder / "new.txt").write_text("Quuxville grew.\n", "utf-8")
    (folder / "untold.txt").write_text("Quuxville fell.\n", "utf-8")
    report = build_drawn(folder, index, memory=memory, changed=["new.txt"], on_progress=note)
    assert (read, report.articles, report.unchanged) == ([1], 41, 40)
    assert build_drawn(folder, index, memory=memory).articles == 42


def test_a_folder_that_is_gone_takes_its_articles_along(folder, tmp_path):
    """Who moves a folder away may be told of the folder alone, not of its files."""
    index, memory = tmp_path / "index", Memory()
    for name in ("deep/a.txt", "deep/er/b.txt", "deeper/c.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Quuxville grew.\n", "utf-8")
    build_drawn(folder, index, memory=memory)
    (folder / "deep").rename(tmp_path / "away")
    assert build_drawn(folder, index, memory=memory, changed=["deep"]).articles == 41


def test_all_is_looked_at_where_another_process_built(folder, tmp_path):
    """What it found is not in this one's memory; nor is anything before the first build."""
    index, memory = tmp_path / "index", Memory()
    (folder / "untold.txt").write_text("Quuxville fell.\n", "utf-8")
    assert build_drawn(folder, index, memory=memory, changed=[]).articles == 41
    (folder / "other.txt").write_text("Quuxville grew.\n", "utf-8")
    build_drawn(folder, index)
    assert build_drawn(folder, index, memory=memory, changed=["00.txt"]).articles == 42


def test_the_last_articles_are_not_removed_from_the_index(folder, tmp_path):
    """A folder that was emptied is an error, also where only what changed is looked at."""
    index, memory = tmp_path / "index", Memory()
    build_drawn(folder, index, memory=memory)
    names = [path.name for path in folder.iterdir()]
    for path in list(folder.iterdir()):
        path.unlink()
    with pytest.raises(CorpusError, match="holds no articles"):
        build_drawn(folder, index, memory=memory, changed=names)
    assert whole_articles(index) == 40


def test_a_moved_article_is_not_encoded_again(folder, tmp_path):
    """Its vectors are found by its text, wherever it stood."""
    index, encoder = tmp_path / "index", DrawnEncoder(width=8)
    build_drawn(folder, index, encoder=encoder)
    encoder.asked = 0
    (folder / "deep").mkdir()
    (folder / "07.txt").rename(folder / "deep" / "renamed.txt")
    report = build_drawn(folder, index, encoder=encoder)
    assert (encoder.asked, report.unchanged) == (0, 39)
    assert report.reused == report.sentences


def test_a_folder_that_moved_has_the_same_content(folder, tmp_path):
    """Where it lies is noted anew, with the same files."""
    index, encoder = tmp_path / "index", DrawnEncoder(width=8)
    build_drawn(folder, index, encoder=encoder)
    before = open_library(index, fingerprint=None).facts
    moved = folder.rename(tmp_path / "moved")
    encoder.asked = 0
    build_drawn(moved, index, encoder=encoder)
    now = open_library(index, fingerprint=None).facts
    assert (now.content, now.corpus) == (before.content, str(moved.resolve()))
    assert encoder.asked == 0


def test_small_segments_are_merged(folder, tmp_path):
    """Small changes stay small; as they add up to a tenth, all becomes what a fresh build makes."""
    index, memory = tmp_path / "index", Memory()
    build_drawn(folder, index, memory=memory)
    counts = []
    for number in range(5):  # of three sentences each, beside a hundred and twenty
        (folder / f"new-{number}.txt").write_text("It grew. It fell. It grew again.\n", "utf-8")
        build_drawn(folder, index, memory=memory)
        counts.append(len(segments_of(index)))
    assert counts == [2, 3, 4, 5, 1]
    build_drawn(folder, tmp_path / "fresh")
    assert current(tmp_path / "fresh") == current(index)


def test_many_small_segments_become_one(tmp_path):
    """Nine are eight too many, whatever they add up to."""
    folder, index, memory = tmp_path / "corpus", tmp_path / "index", Memory()
    folder.mkdir()
    (folder / "base.txt").write_text(" ".join(SENTENCES * 60) + "\n", "utf-8")
    build_drawn(folder, index, memory=memory)
    counts = []
    for number in range(9):
        (folder / f"new-{number}.txt").write_text("Quuxville grew.\n", "utf-8")
        build_drawn(folder, index, memory=memory)
        counts.append(len(segments_of(index)))
    assert counts == [2, 3, 4, 5, 6, 7, 8, 9, 2]


def test_a_damaged_file_is_not_linked_again(folder, tmp_path):
    """A file that two generations share is found damaged in the new one, and written anew."""
    index, memory = tmp_path / "index", Memory()
    build_drawn(folder, index, memory=memory)
    (folder / "new.txt").write_text("Quuxville grew.\n", "utf-8")
    build_drawn(folder, index, memory=memory)
    base = max(
        segments_of(index),
        key=lambda each: (index / current(index) / f"{each}.articles.bin").stat().st_size,
    )
    place = index / current(index) / f"{base}.sentence_vectors.faiss"
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    with pytest.raises(IndexDamaged, match="sentence_vectors"):
        open_library(index, fingerprint=None)
    report = build_drawn(folder, index, memory=memory)  # it had hashed the file while it was whole
    assert report.published
    open_library(index, fingerprint=None).close()
    assert build_drawn(folder, index).published is False


def test_an_index_of_the_earlier_format_is_built_anew(folder, tmp_path):
    """It is refused with the command that helps, and the command does."""
    index = tmp_path / "index"
    old = "0123456789ab"
    (index / old).mkdir(parents=True)
    (index / old / MANIFEST).write_text(json.dumps({"format": 2, "facts": {}, "files": {}}))
    (index / "CURRENT").write_text(f"{old}\n")
    with pytest.raises(IndexMismatch, match=r"format 2.*clippings index"):
        open_library(index, fingerprint=None)
    build_drawn(folder, index)
    open_library(index, fingerprint=None).close()
    assert not (index / old).exists()


def operations_of_a_build(folder, index):
    with Interrupted(at=-1, act=no_room) as counted:
        build_drawn(folder, index)
    return counted.count


def whole_articles(index):
    library = open_library(index, fingerprint=ENCODER.fingerprint)
    library.close()
    return len(library.articles)


@pytest.fixture
def grown(folder, tmp_path):
    """Give an index, the folder with one more article since, and how many operations it takes."""
    build_drawn(folder, tmp_path / "index")
    (folder / "new.txt").write_text("Quuxville grew.\n", "utf-8")
    shutil.copytree(tmp_path / "index", tmp_path / "counted")
    return tmp_path / "index", folder, operations_of_a_build(folder, tmp_path / "counted")


def test_full_disk_during_a_build(grown, tmp_path):
    """At a sample of operations: a clear error, an index, and the next build cleans up."""
    index, folder, count = grown
    assert count > 60
    for at in range(1, count + 1, 9):
        copy = tmp_path / f"full-{at}"
        shutil.copytree(index, copy)
        try:
            with Interrupted(at=at, act=no_room):
                build_drawn(folder, copy)
        except IndexUnwritable as error:
            assert "no room" in str(error), at  # noqa: PT017
        assert whole_articles(copy) in (40, 41), at
        build_drawn(folder, copy)
        assert whole_articles(copy) == 41
        assert names_in(copy) == {"CURRENT", "LOCK", current(copy)}
        shutil.rmtree(copy)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12
def test_kill_during_a_build(grown, tmp_path):
    """At a sample of operations: a whole index, and the next build finishes and cleans up."""
    index, folder, count = grown
    for at in range(1, count + 1, 9):
        copy = tmp_path / f"killed-{at}"
        shutil.copytree(index, copy)
        child = os.fork()
        if child == 0:
            try:
                with Interrupted(at=at, act=killed):
                    build_drawn(folder, copy)
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        assert whole_articles(copy) in (40, 41), at
        build_drawn(folder, copy)
        assert whole_articles(copy) == 41
        assert names_in(copy) == {"CURRENT", "LOCK", current(copy)}
        shutil.rmtree(copy)


KILLED = """
import os, signal, sys, time
from pathlib import Path
from retrieval import assembling, build
from tests.drawing import DrawnEncoder

assembling.SHARD_BYTES = 400  # small shards, so that there are many
left = int(sys.argv[3])
encoder = DrawnEncoder(width=8)

def on_progress(stage, done, total):
    global left
    left -= stage == sys.argv[4]
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

build(Path(sys.argv[1]), Path(sys.argv[2]), encoder, limit_bytes=10**7,
    clock=lambda: time.time() + 3600, wait=lambda _: None, on_progress=on_progress)
print(encoder.asked)
"""


def run_killed(folder, index, after, stage):
    return subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), str(index), str(after), stage],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("stage", "after"), [("encoding", 5), ("merging", 1), ("writing", 0)])
def test_a_killed_build_goes_on_where_it_was(folder, tmp_path, stage, after):
    """Kill -9: what was finished is not encoded again, and the outcome is the same."""
    everything = int(run_killed(folder, tmp_path / "whole", 10**6, stage).stdout)
    index = tmp_path / "index"
    assert run_killed(folder, index, after, stage).returncode == -9
    assert finished_shards(index)
    again = run_killed(folder, index, 10**6, stage)
    assert again.returncode == 0, again.stderr
    assert int(again.stdout) < everything
    if stage == "writing":
        assert int(again.stdout) == 0
    assert current(index) == current(tmp_path / "whole")
    assert names_in(index) == {"CURRENT", "LOCK", current(index)}


def test_a_build_in_shards_is_the_build_in_one(folder, tmp_path):
    """However an archive is cut, the generation is the same."""
    assert run_killed(folder, tmp_path / "shards", 10**6, "encoding").returncode == 0
    build_drawn(folder, tmp_path / "one")
    assert current(tmp_path / "shards") == current(tmp_path / "one")
