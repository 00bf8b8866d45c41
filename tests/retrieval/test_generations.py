"""`retrieval.generations`: old or new, whole, whatever happens to the writer and whenever.

The harness interrupts `publish` at each of its operations on files. It has teeth: an overwrite in
place, what most programs do, fails it.
"""

import errno
import fcntl
import json
import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.durable import promise_of
from retrieval.errors import (
    IndexBusy,
    IndexDamaged,
    IndexFault,
    IndexMismatch,
    IndexMissing,
    IndexUnwritable,
)
from retrieval.generations import (
    CURRENT,
    FORMAT,
    MANIFEST,
    collect,
    current,
    hold,
    locked,
    publish,
    read,
)

ROOT = Path(__file__).parent.parent.parent
OLD = {"a.bin": b"old a " * 40, "b.json": b'{"old": true}', "empty.npy": b""}
NEW = {"a.bin": b"new a " * 50, "b.json": b'{"old": false}', "empty.npy": b"no longer"}
FACTS = {"model": "tiny", "articles": 2, "latest": None}
OPERATIONS = (
    "open",
    "write",
    "fsync",
    "mkdir",
    "rename",
    "replace",
    "unlink",
    "rmdir",
    "close",
    "link",
)


class Interrupted:
    """Counts operations of `os` inside a `with` and does something at the given one."""

    def __init__(self, at, act):
        self.at, self.act, self.count = at, act, 0

    def __enter__(self):
        self.real = {name: getattr(os, name) for name in OPERATIONS}
        for name, real in self.real.items():
            setattr(os, name, self._counting(name, real))
        return self

    def __exit__(self, *_):
        for name, real in self.real.items():
            setattr(os, name, real)

    def _counting(self, name, real):
        def operation(*arguments, **options):
            self.count += 1
            if self.count == self.at:
                self.act(name, real, arguments)
            return real(*arguments, **options)

        return operation


def no_room(name, real, arguments):
    if name == "close":
        real(*arguments)
    if name == "write":  # a full disk takes what it can
        real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed(name, real, arguments):
    if name == "write":
        real(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
    os._exit(9)


def overwrite_in_place(index, files, _facts):
    """Publish as one should not: each file over the old one, then the manifest."""
    folder = index / current(index)
    for name, data in files.items():
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(descriptor, data)
        os.close(descriptor)


def operations_of(way, index):
    with Interrupted(at=-1, act=no_room) as counted:
        way(index, NEW, FACTS)
    return counted.count


def contents(index):
    """Give the files of the current generation, every one verified."""
    files = read(index, current(index)).files
    return {name: file.place.read_bytes() for name, file in files.items()}


def is_old_or_new_whole(index):
    try:
        return contents(index) in (OLD, NEW)
    except IndexFault:
        return False


def names_in(index):
    return {path.name for path in index.iterdir()}


def outcomes_of_kills(way, tmp_path):
    """Kill a process at each operation of a way to publish: was there an index, whole?"""
    publish(tmp_path / "counted", OLD, FACTS)
    count = operations_of(way, tmp_path / "counted")
    outcomes = []
    for at in range(1, count + 1):
        index = tmp_path / f"killed-{at}"
        publish(index, OLD, FACTS)
        child = os.fork()
        if child == 0:
            try:
                with Interrupted(at=at, act=killed):
                    way(index, NEW, FACTS)
            finally:
                os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
        outcomes.append(is_old_or_new_whole(index))
        publish(index, NEW, FACTS)
        collect(index)
        assert contents(index) == NEW
        assert names_in(index) == {CURRENT, current(index)}
    return outcomes


def test_what_is_published_is_read_back(tmp_path):
    """Files, facts and id come back as they went in."""
    generation = publish(tmp_path / "index", OLD, FACTS)
    found = read(tmp_path / "index", current(tmp_path / "index"))
    assert (contents(tmp_path / "index"), dict(found.facts), found.id) == (OLD, FACTS, generation)


def test_same_content_has_the_same_id(tmp_path):
    """The id is a hash of the content: no time, no place, no order."""
    one = publish(tmp_path / "one", OLD, FACTS)
    other = publish(tmp_path / "other", dict(reversed(OLD.items())), FACTS)
    assert one == other
    assert (tmp_path / "one" / one / MANIFEST).read_bytes() == (
        tmp_path / "other" / one / MANIFEST
    ).read_bytes()


@pytest.mark.parametrize("change", [{"articles": 3}, {"model": "other"}])
def test_other_facts_have_another_id(tmp_path, change):
    """The facts are part of the content."""
    assert publish(tmp_path, OLD, FACTS) != publish(tmp_path, OLD, {**FACTS, **change})


def test_publishing_the_current_generation_writes_nothing(tmp_path):
    """The identical generation is left as it is, CURRENT and its time too."""
    generation = publish(tmp_path, OLD, FACTS)
    os.utime(tmp_path / CURRENT, (1, 1))
    with Interrupted(at=-1, act=no_room) as counted:
        assert publish(tmp_path, OLD, FACTS) == generation
    assert counted.count == 0
    assert (tmp_path / CURRENT).stat().st_mtime == 1


def test_damaged_current_generation_is_written_anew(tmp_path):
    """The same content repairs a folder that is not what it should be."""
    generation = publish(tmp_path, OLD, FACTS)
    (tmp_path / generation / "a.bin").write_bytes(b"rot")
    assert publish(tmp_path, OLD, FACTS) == generation
    assert contents(tmp_path) == OLD
    assert names_in(tmp_path) == {CURRENT, generation}


def test_folders_and_files_are_for_their_owner_alone(tmp_path):
    """0700 and 0600, since vectors can be turned back into text."""
    index = tmp_path / "deep" / "index"
    with locked(index):
        generation = publish(index, OLD, FACTS)
    modes = {path.name: path.stat().st_mode & 0o777 for path in index.rglob("*")}
    folders = {name: modes.pop(name) for name in [generation]}
    assert (index.stat().st_mode & 0o777, folders) == (0o700, {generation: 0o700})
    assert set(modes.values()) == {0o600}


def test_names_that_leave_the_folder_are_refused(tmp_path):
    """A file of a generation has a plain name."""
    with pytest.raises(ValueError, match="not names"):
        publish(tmp_path, {"../a": b""}, FACTS)


def test_full_disk_at_each_operation_leaves_old_or_new(tmp_path):
    """Whichever operation fails: a clear error, a whole index, and the next build succeeds."""
    publish(tmp_path / "counted", OLD, FACTS)
    count = operations_of(publish, tmp_path / "counted")
    assert count > 20
    for at in range(1, count + 1):
        index = tmp_path / f"full-{at}"
        publish(index, OLD, FACTS)
        with (
            Interrupted(at=at, act=no_room),
            pytest.raises(IndexUnwritable, match=r"no room .* bytes.* Make room"),
        ):
            publish(index, NEW, FACTS)
        assert is_old_or_new_whole(index), at
        publish(index, NEW, FACTS)
        assert contents(index) == NEW


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12
def test_kill_at_each_operation_leaves_old_or_new(tmp_path):
    """Wherever the process dies: a whole index; the next build succeeds and cleans up."""
    outcomes = outcomes_of_kills(publish, tmp_path)
    assert len(outcomes) > 20
    assert all(outcomes)


def publish_linked(index, files, facts):
    """Publish what is new, and link what the current generation has already."""
    before = read(index, current(index)).files
    kept = {
        name: before[name] if name in before and before[name].promise == promise_of(data) else data
        for name, data in files.items()
    }
    return publish(index, kept, facts)


LINKED = {**NEW, "a.bin": OLD["a.bin"]}


def test_a_file_that_stays_is_the_same_file(tmp_path):
    """It is linked, not copied, and outlives the generation it came from."""
    old = publish(tmp_path, OLD, FACTS)
    inode = (tmp_path / old / "a.bin").stat().st_ino
    new = publish_linked(tmp_path, LINKED, FACTS)
    assert (tmp_path / new / "a.bin").stat().st_ino == inode
    collect(tmp_path)
    assert contents(tmp_path) == LINKED


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12
def test_kill_or_full_disk_while_files_are_linked_leaves_old_or_new(tmp_path):
    """At each operation, links too: a whole index, and the next build succeeds."""
    publish(tmp_path / "counted", OLD, FACTS)
    with Interrupted(at=-1, act=no_room) as counted:
        publish_linked(tmp_path / "counted", LINKED, FACTS)
    for at in range(1, counted.count + 1):
        for act in (killed, no_room):
            index = tmp_path / f"{act.__name__}-{at}"
            publish(index, OLD, FACTS)
            child = os.fork()
            if child == 0:
                try:
                    with Interrupted(at=at, act=act):
                        publish_linked(index, LINKED, FACTS)
                except IndexUnwritable:
                    os._exit(9)
                finally:
                    os._exit(0)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
            assert contents(index) in (OLD, LINKED)
            publish_linked(index, LINKED, FACTS)
            collect(index)
            assert contents(index) == LINKED
            assert names_in(index) == {CURRENT, current(index)}


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12
def test_overwriting_in_place_would_be_caught(tmp_path):
    """The same harness finds that a naive way to publish loses the index."""
    assert outcomes_of_kills(overwrite_in_place, tmp_path).count(False) >= 3


def test_everything_is_synced_before_it_is_named(tmp_path):
    """Each file before its folder, the folder before its name, the name before CURRENT."""
    publish(tmp_path, OLD, FACTS)
    steps, names = [], {}

    def noted(name, arguments):
        if name == "fsync":
            steps.append(f"sync {names[arguments[0]]}")
        elif name in ("rename", "replace"):
            steps.append(f"{name} to {Path(arguments[1]).name}")

    class Noting(Interrupted):
        def _counting(self, name, real):
            def operation(*arguments, **options):
                noted(name, arguments)
                result = real(*arguments, **options)
                if name == "open":
                    names[result] = Path(arguments[0]).name
                return result

            return operation

    with Noting(at=-1, act=None):
        generation = publish(tmp_path, NEW, FACTS)
    draft, folder = f"{generation}.tmp", tmp_path.name
    assert steps == [
        "sync a.bin",
        "sync b.json",
        "sync empty.npy",
        f"sync {MANIFEST}",
        f"sync {draft}",
        f"rename to {generation}",
        f"sync {folder}",
        f"sync {CURRENT}.tmp",
        f"replace to {CURRENT}",
        f"sync {folder}",
    ]


def test_limit_on_file_size_is_a_clear_error(tmp_path):
    """A real EFBIG from the kernel: the message has the place, the bytes and the remedy."""
    code = (
        "import resource, signal, sys; from pathlib import Path;"
        "from retrieval.errors import IndexUnwritable; from retrieval.generations import publish;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1000, {resource.RLIM_INFINITY}));\n"
        "try: publish(Path(sys.argv[1]), {'a.bin': bytes(5000)}, {})\n"
        "except IndexUnwritable as error: print(error)"
    )
    publish(tmp_path, OLD, FACTS)
    said = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout
    assert said.startswith(f"There is no room for the index at {tmp_path}: it takes 5,")
    assert contents(tmp_path) == OLD
    assert names_in(tmp_path) == {CURRENT, current(tmp_path)}


def test_index_that_is_a_file_is_a_clear_error(tmp_path):
    """A file where the folder should be is named."""
    (tmp_path / "index").write_text("mine")
    with (
        pytest.raises(IndexUnwritable, match=r"index.*Not a directory"),
        locked(tmp_path / "index"),
    ):
        pass
    assert (tmp_path / "index").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_folder_without_permission_is_a_clear_error(tmp_path):
    """The message names the place and what to do."""
    tmp_path.chmod(0o500)
    with pytest.raises(IndexUnwritable, match="Grant access"), locked(tmp_path / "index"):
        pass


def test_things_of_others_in_the_folder_are_left_alone(tmp_path):
    """Only leftovers with names that this module gives are removed."""
    (tmp_path / "thesis.tmp").write_text("mine")
    (tmp_path / "0123456789ab.tmp").mkdir()
    (tmp_path / "0123456789ab.tmp" / "a.bin").write_text("half")
    generation = publish(tmp_path, OLD, FACTS)
    assert names_in(tmp_path) == {"thesis.tmp", CURRENT, generation}


def test_second_builder_is_told_to_wait(tmp_path):
    """The lock is refused while it is held, and free again afterwards."""
    with (
        locked(tmp_path),
        pytest.raises(IndexBusy, match=r"Another process .* Wait"),
        locked(tmp_path),
    ):
        pass
    with locked(tmp_path):
        pass


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")  # Python 3.12
def test_lock_of_a_killed_builder_is_free(tmp_path):
    """The kernel lets go of a lock with its process."""
    child = os.fork()
    if child == 0:
        descriptor = os.open(tmp_path / "LOCK", os.O_RDWR | os.O_CREAT)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        os._exit(9)
    os.waitpid(child, 0)
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("folder", ["", "index"])
def test_nothing_indexed_yet(tmp_path, folder):
    """An empty or missing folder is a missing index, and the remedy is said."""
    with pytest.raises(IndexMissing, match="clippings index"):
        current(tmp_path / folder)
    with pytest.raises(IndexMissing, match="clippings index"):
        hold(tmp_path / folder)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"0123456789ab", b"../../../etc\n", b"0123456789AB\n", b"\xff" * 13]
)
def test_current_that_names_no_generation_is_damage(tmp_path, content):
    """Garbage in CURRENT is reported, naming the file."""
    publish(tmp_path, OLD, FACTS)
    (tmp_path / CURRENT).write_bytes(content)
    with pytest.raises(IndexDamaged, match=CURRENT):
        current(tmp_path)


def test_generation_that_is_gone_is_damage(tmp_path):
    """CURRENT that names a folder which does not exist is reported, naming it."""
    (tmp_path / CURRENT).write_bytes(b"0123456789ab\n")
    with pytest.raises(IndexDamaged, match="0123456789ab"):
        read(tmp_path, current(tmp_path))
    with pytest.raises(IndexDamaged, match="0123456789ab"):
        hold(tmp_path)


def test_other_format_is_a_mismatch(tmp_path):
    """A generation of another version is not damaged: it has to be built anew."""
    generation = publish(tmp_path, OLD, FACTS)
    place = tmp_path / generation / MANIFEST
    content = json.loads(place.read_bytes())
    place.write_text(json.dumps({**content, "format": FORMAT + 1}))
    with pytest.raises(IndexMismatch, match=f"format {FORMAT + 1}.*clippings index"):
        read(tmp_path, generation)


@pytest.mark.parametrize("name", ["a.bin", "b.json", "empty.npy", MANIFEST])
def test_changed_or_missing_file_is_named(tmp_path, name):
    """Whatever file is changed or missing, the message names it."""
    generation = publish(tmp_path, OLD, FACTS)
    place = tmp_path / generation / name
    place.write_bytes(place.read_bytes() + b" ")
    with pytest.raises(IndexDamaged, match=name):
        read(tmp_path, generation)
    place.unlink()
    with pytest.raises(IndexDamaged, match=f"{name} is missing"):
        read(tmp_path, generation)


def test_no_damage_goes_unnoticed(tmp_path):
    """400 random flips, cuts, additions, swaps and deletions: never a wrong byte is given."""
    chance = random.Random(7)  # noqa: S311
    generation = publish(tmp_path, NEW, FACTS)
    places = [tmp_path / CURRENT, *sorted((tmp_path / generation).iterdir())]
    whole = {place: place.read_bytes() for place in places}
    for _ in range(400):
        place = chance.choice(places)
        data = bytearray(whole[place])
        kind = chance.choice(["flip", "cut", "add", "zero", "delete"])
        if kind == "flip":
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        elif kind == "cut":
            del data[chance.randrange(len(data)) :]
        elif kind == "zero":
            data[:] = bytes(len(data))
        elif kind == "add":
            data += chance.randbytes(3)
        place.write_bytes(data)
        if kind == "delete":
            place.unlink()
        with pytest.raises((IndexDamaged, IndexMismatch, IndexMissing)):
            read(tmp_path, current(tmp_path))
        place.write_bytes(whole[place])
    assert contents(tmp_path) == NEW


def test_collect_keeps_the_current_generation_only(tmp_path):
    """Older generations that nobody reads are deleted."""
    old = publish(tmp_path, OLD, FACTS)
    new = publish(tmp_path, NEW, FACTS)
    assert collect(tmp_path) == (old,)
    assert names_in(tmp_path) == {CURRENT, new}
    assert collect(tmp_path) == ()


def test_hold_keeps_a_generation_alive(tmp_path):
    """What a reader holds is collected after the last one let go."""
    publish(tmp_path, OLD, FACTS)
    one, other = hold(tmp_path), hold(tmp_path)
    publish(tmp_path, NEW, FACTS)
    assert collect(tmp_path) == ()
    one.close()
    assert collect(tmp_path) == ()
    kept = read(tmp_path, other.generation).files
    assert {name: file.place.read_bytes() for name, file in kept.items()} == OLD
    other.close()
    other.close()
    assert collect(tmp_path) == (one.generation,)


def test_hold_follows_a_generation_that_was_collected(tmp_path):
    """A reader that comes late gets the new generation."""
    publish(tmp_path, OLD, FACTS)
    new = publish(tmp_path, NEW, FACTS)
    collect(tmp_path)
    with hold(tmp_path) as held:
        assert held.generation == new


def test_generation_about_to_be_deleted_can_not_be_held(tmp_path):
    """A collector's lock keeps readers away from a folder that is going."""
    generation = publish(tmp_path, OLD, FACTS)
    descriptor = os.open(tmp_path / generation, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    with pytest.raises(IndexDamaged, match="missing"):
        hold(tmp_path)
    os.close(descriptor)
    hold(tmp_path).close()
