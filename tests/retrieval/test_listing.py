"""`retrieval.listing`: a walk and a look at some paths come to the same files."""

import os

import pytest

from retrieval.listing import DEPTH_LIMIT, MOST_NAMED, is_passed_over, list_folder, list_named


def put(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Rubio spoke.", "utf-8")


def test_paths_that_are_named_are_listed_as_a_walk_lists_them(tmp_path):
    """With the same stamps, ascending; what is gone or no article is not listed."""
    put(tmp_path, "b.txt", "deep/er/a.TXT", "notes.md", "other.txt")
    walked = dict(list_folder(tmp_path).files)
    named = list_named(tmp_path, ["deep/er/a.TXT", "b.txt", "gone.txt", "gone/x.txt", "notes.md"])
    assert named.files == (
        (b"b.txt", walked[b"b.txt"]),
        (b"deep/er/a.TXT", walked[b"deep/er/a.TXT"]),
    )
    assert (named.troubles, named.ignored) == ((), 0)


@pytest.mark.parametrize("name", [".hidden.txt", "~draft.txt", ".git/a.txt", "deep/.b/c.txt"])
def test_hidden_paths_are_passed_over(tmp_path, name):
    """A walk does not come to them, so a look at them does not either."""
    put(tmp_path, name)
    assert list_folder(tmp_path).files == ()
    assert list_named(tmp_path, [name]).files == ()
    assert is_passed_over(name)


def test_what_lies_behind_a_link_is_passed_over(tmp_path):
    """A link to a folder is not followed; the article has a path of its own."""
    put(tmp_path, "real/a.txt")
    (tmp_path / "link").symlink_to("real")
    assert list_named(tmp_path, ["link/a.txt"]).files == ()


def test_a_path_that_is_too_deep_is_passed_over(tmp_path):
    """The walk ends at the same depth."""
    deep = "/".join(["d"] * DEPTH_LIMIT)
    put(tmp_path, f"{deep}/a.txt")
    assert [path for path, _ in list_folder(tmp_path).files] == [f"{deep}/a.txt".encode()]
    assert list_named(tmp_path, [f"{deep}/a.txt"]).files == list_folder(tmp_path).files
    assert is_passed_over(f"{deep}/d/a.txt")


@pytest.mark.parametrize("path", ["folder", "link", ".", "caf\ufffd.txt"])
def test_only_a_walk_tells_what_came_with_a_folder(tmp_path, path):
    """Nobody tells of the files in a folder that was moved here, or of a name that is not UTF-8."""
    put(tmp_path, "folder/a.txt")
    (tmp_path / "link").symlink_to("folder")
    assert list_named(tmp_path, [path]) is None


def test_very_many_changes_are_looked_for_everywhere(tmp_path):
    """The system may have kept no more of them than these."""
    names = [f"{number}.txt" for number in range(MOST_NAMED + 1)]
    assert list_named(tmp_path, names) is None
    assert list_named(tmp_path, names[1:]) is not None


def test_a_path_that_can_not_be_looked_at_is_not_taken_for_gone(tmp_path, monkeypatch):
    """A network folder that fails for a moment does not remove articles."""

    def failing(_path):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "lstat", failing)
    assert list_named(tmp_path, ["a.txt"]) is None
