"""policy.py: who may ask, and which collection a channel may see."""

from pathlib import Path

import pytest

from bot.config import ConfigError, Settings
from bot.slack.payloads import Person
from bot.slack.policy import (
    SHARED,
    People,
    changed_rules,
    collection_of,
    exceptions_to,
    read_collections,
    refusal_of,
)


def person(kind="member"):
    return Person(kind=kind, is_admin=False, name="ada")


@pytest.mark.parametrize(
    ("kind", "channel", "rule", "default", "why"),
    [
        ("member", "C1", None, "allowed", None),
        ("member", "C1", None, "denied", "channel"),
        ("member", "C1", "allowed", "denied", None),
        ("member", "C1", "denied", "allowed", "channel"),
        ("member", "D1", None, "denied", None),
        ("member", "", None, "denied", None),
        ("member", "C1", SHARED, "allowed", "external"),
        ("guest", "D1", None, "allowed", "guest"),
        ("external", "C1", "allowed", "allowed", "external"),
        ("bot", "C1", "allowed", "allowed", "external"),
    ],
)
def test_who_is_refused_and_why(kind, channel, rule, default, why):
    """Members ask where the channel allows it, and directly; others nowhere."""
    assert refusal_of(person(kind), channel=channel, rule=rule, default=default) == why


def test_the_channels_an_admin_chooses_are_the_exceptions():
    """Who is not chosen any more follows the default; a shared channel stays closed."""
    rules = {"C1": "allowed", "C2": "allowed", "C9": SHARED}
    assert exceptions_to(rules, default="denied") == ("C1", "C2")
    changed = changed_rules(("C2", "C3", "C9"), rules, default="denied")
    assert changed == {"C3": "allowed", "C1": "denied"}
    assert changed_rules((), {}, default="allowed") == {}


def collections(tmp_path, text):
    file = tmp_path / "collections.toml"
    file.write_text(text, encoding="utf-8")
    return read_collections(Settings(CLIPPINGS_COLLECTIONS=file, _env_file=None))


def table(name, *channels):
    listed = ", ".join(f'"{channel}"' for channel in channels)
    return f'[{name}]\ncorpus = "{name}"\nindex = ".{name}"\nchannels = [{listed}]\n'


def test_without_a_file_every_channel_sees_the_one_collection():
    """It is the folder and the index of the other commands."""
    settings = Settings(CLIPPINGS_CORPUS="news", CLIPPINGS_INDEX="idx", _env_file=None)
    (one,) = read_collections(settings)
    assert (one.corpus, one.index) == (Path("news"), Path("idx"))
    assert [collection_of([one], channel) for channel in ("C1", "D1", "")] == [one, one, one]


def test_a_channel_sees_the_collection_that_names_it_and_no_other(tmp_path):
    """Direct messages see what names them; who is named nowhere sees nothing."""
    read = collections(tmp_path, table("a", "C1", "direct") + table("b", "C2"))
    seen = {channel: collection_of(read, channel) for channel in ("C1", "C2", "C3", "D1", "")}
    assert {channel: one and one.name for channel, one in seen.items()} == {
        "C1": "a",
        "C2": "b",
        "C3": None,
        "D1": "a",
        "": "a",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is none"),
        ("[a]\ncorpus = 'x'\n", "must have corpus, index and channels"),
        ("[a]\ncorpus = 1\nindex = 'x'\nchannels = []\n", "two names of folders"),
        (table("a", "C1") + table("b", "C1"), "more than one names C1"),
        (table("a", "C1") + table("b", "C2").replace(".b", ".a"), "two share an index"),
        ("not toml", "can not be read"),
    ],
)
def test_a_file_that_leaves_something_open_is_refused(tmp_path, text, said):
    """The message names the file and what to do."""
    with pytest.raises(ConfigError, match=said) as caught:
        collections(tmp_path, text)
    assert "collections.toml" in str(caught.value)


def test_slack_is_asked_about_a_person_once_an_hour():
    """What it said before is forgotten then: a member may have become a guest."""
    asked, now = [], [0.0]

    def look_up(team, user):
        asked.append((team, user))
        return person()

    people = People(look_up, clock=lambda: now[0])
    for at in (0.0, 3_599.0, 3_600.0):
        now[0] = at
        people.find("T1", "U1")
    assert asked == [("T1", "U1"), ("T1", "U1")]
