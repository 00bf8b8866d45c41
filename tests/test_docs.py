"""The documents say what the code does."""

import os
import re
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import typer.main

from bot.cli import app
from bot.config import Settings
from bot.slack.policy import collection_of, read_collections

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def transcripts():
    """Give the commands of the README's transcript with what it says they print."""
    (block,) = re.findall(r"```console\n(.*?)```", README, flags=re.DOTALL)
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2].rstrip("\n")) for part in parts]


@pytest.mark.parametrize(("command", "printed"), transcripts())
def test_the_transcript_is_what_the_command_prints(command, printed, tmp_path_factory):
    """Run as written, on the corpus of the repository."""
    index = tmp_path_factory.getbasetemp() / "docs-index"
    arguments = re.fullmatch(r'clippings ask "(.*)" --limit 1', command)
    assert arguments is not None
    done = subprocess.run(
        [sys.executable, "-m", "bot", "--index", index, "ask", arguments[1], "--limit", "1"],
        capture_output=True,
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if not k.startswith("CLIPPINGS_")},
        check=False,
    )
    assert done.stdout.decode().rstrip("\n") == printed


def test_the_two_commands_are_targets_of_the_makefile():
    """What the README tells a user to type exists, and CI types the same."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    (block,) = re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    targets = [line.split()[1] for line in block.splitlines()]
    assert targets == ["ask", "test"]
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_the_readme_is_short_and_names_every_command():
    """Under 150 lines; each command of the program has its row."""
    assert len(README.splitlines()) < 150
    commands = typer.main.get_command(app).commands
    assert [name for name in commands if f"`clippings {name}" not in README] == []


def test_the_example_of_settings_lists_every_variable():
    """`.env.example` names what the code reads, and nothing else, each with a comment."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    named = [line.partition("=")[0] for line in lines if re.match(r"#? ?[A-Z_]+=", line)]
    read = [field.validation_alias for field in Settings.model_fields.values()]
    assert sorted(named) == sorted(read)


def test_the_architecture_names_every_module():
    """A newcomer finds each file from ARCHITECTURE.md alone, and none that is gone."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    modules = {
        path.relative_to(ROOT).as_posix()
        for pattern in ("bot/**/*.py", "retrieval/*.py")
        for path in ROOT.glob(pattern)
        if path.name != "__init__.py"
    }
    named = set(re.findall(r"`((?:bot|retrieval)/(?:\w+/)?\w+\.py)`", text))
    assert named == modules


def test_the_five_steps_to_slack_name_what_there_is():
    """Each variable, file, target and scope of the steps exists; what is needed is in them."""
    section = README.partition("## Slack in five steps")[2].partition("\n## ")[0]
    steps = re.findall(r"^(\d)\. (.*)", section, flags=re.MULTILINE)
    assert [number for number, _ in steps] == ["1", "2", "3", "4", "5"]
    told = "\n".join(text for _, text in steps)
    assert "(bot/manifest.json)" in told
    assert "connections:write" in told
    assert "`make slack`" in told
    assert re.search(r"^slack:", (ROOT / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    read = {field.validation_alias for field in Settings.model_fields.values()}
    named = set(re.findall(r"`((?:SLACK|CLIPPINGS|DATABASE)_[A-Z_]+)`", section))
    assert named <= read
    assert {"SLACK_APP_TOKEN", "SLACK_BOT_TOKEN"} <= set(re.findall(r"`([A-Z_]+)`", told))


def test_the_collections_of_the_readme_can_be_read(tmp_path):
    """The example is what the code understands."""
    (example,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    file = tmp_path / "collections.toml"
    file.write_text(example, encoding="utf-8")
    collections = read_collections(Settings(CLIPPINGS_COLLECTIONS=file, _env_file=None))
    seen = {channel: collection_of(collections, channel).name for channel in ("C1", "D1", "")}
    assert seen == {"C1": "news", "D1": "legal", "": "legal"}
    assert collection_of(collections, "C0123456789").name == "legal"


def test_the_changelog_knows_the_version():
    """The version of pyproject.toml has its section."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_dependency_is_pinned():
    """requirements.txt has an exact version of all that pyproject.toml names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    pinned = {
        line.partition("==")[0].lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines()
        if "==" in line
    }
    names = {re.split(r"[<>=\[]", name)[0].lower().replace("_", "-") for name in named}
    assert names <= pinned
