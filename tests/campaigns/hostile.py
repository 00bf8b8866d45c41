"""Hostile text: nothing in articles or questions pings, links or formats; quotes stay as they are.

    python tests/campaigns/hostile.py --articles 500

Articles, their file names, and the questions are made of everything that Slack would parse. Each
message, ephemeral message and view that the bot sends is read by the reference renderer, which is
stricter than Slack, and each quote is looked for in the file that it names, byte by byte.
"""

import random
import re
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.campaigns.harness import (
    Process,
    Result,
    build_index,
    parser,
    stage,
)
from tests.slack_server import SlackServer
from tests.slack_server.json_types import Json
from tests.slack_server.rendering import effects, quotes, visible_text

CHANNELS, USERS, MOST_WAITING = 40, 80, 20
TOKENS = (
    "<!channel>",
    "<!here|here>",
    "<!everyone>",
    "<!subteam^S123|@staff>",
    "<@U1>",
    "<@UBOT|bot>",
    "<#C1|general>",
    "<http://evil.example/x|safe>",
    "<https://evil.example>",
    "https://evil.example/a?b=c&d=e",
    "mailto:a@evil.example",
    "<mailto:a@evil.example|b>",
    ":rocket:",
    ":+1::skin-tone-2:",
    "*bold*",
    "_italic_",
    "~struck~",
    "`code`",
    "```block```",
    "*_~all~_*",
    "&lt;!channel&gt;",
    "&amp;lt;@U1&amp;gt;",
    "@channel",
    "@everyone",
    "<!date^1392734382^{date}|then>",
    "\u202ereversed\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\u200djoined\ufeff",
    "no\u00a0break",
    "e\u0301 \u212b \ufb01",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "[text](https://evil.example)",
    "![image](https://evil.example/i.png)",
    "# heading",
    "$(id)",
    "{{x}}",
    "%s %n",
    "\\u0041 \\n",
)
NAME_TOKENS = (
    "<!channel>",
    "*b*",
    "`c`",
    ":rocket:",
    "<@U1>",
    "&amp;",
    "_i_",
    "\u202e",
    "@here",
    " ",
)
FIRST, SECOND = (
    ("Zor", "Vel", "Mir", "Tak", "Bru", "Hes", "Lod"),
    ("vak", "don", "gar", "lin", "pex"),
)
THINGS = ("harbour", "railway", "budget", "treaty", "bridge", "hospital", "election", "drought")


def write_articles(folder: Path, *, count: int, seed: int) -> list[str]:
    """Write articles; gives a question that each of them answers."""
    dice = random.Random(seed)  # noqa: S311 - it must repeat
    folder.mkdir()
    asked = []
    for number in range(count):
        name = f"{dice.choice(FIRST)}{dice.choice(SECOND)}{number}"
        thing = dice.choice(THINGS)
        a, b, c, d = dice.sample(TOKENS, 4)
        lines = (
            f"{a} {name} speaks on the {thing}",
            f"Minister {name} said {b} the {thing} of Lower {name} must be rebuilt {c} by May.",
            f"{d}",
            f"“The {thing} is {a} ours, {b}” {name} told reporters {c} on Friday {d}.",
            f"> {d} nobody else spoke about the {thing} {a}.",
        )
        file = f"{number:04d}_{dice.choice(NAME_TOKENS)}{name}.txt"
        (folder / file).write_bytes("\n\n".join(lines).encode())
        asked.append(f"What did {dice.choice(TOKENS)} minister {name} say about the {thing} {c}?")
    return asked


def run(
    slack: SlackServer, _app: Process, *, corpus: Path, questions: list[str], opened: int = 40
) -> Result:
    """Ask about every article, in public and in private, open some, and read all that was sent."""
    result = Result(name="hostile text")
    before = _shown(slack)
    for number, text in enumerate(questions):
        slack.wait_for(lambda asked=number: asked + before - _shown(slack) < MOST_WAITING, 30)
        user, channel = f"W{number % USERS + 1}", f"CW{number % CHANNELS + 1}"
        if number % 4 == 3:
            slack.command("/ask", text, user=user, channel=channel)
        else:
            slack.mention(text, user=user, channel=channel)
    is_done = slack.wait_for(lambda: _shown(slack) - before >= len(questions), 60)
    result.require("every question has a reply", is_done)
    messages = [
        message
        for number in range(1, CHANNELS + 1)
        for message in slack.messages(f"CW{number}")
        if message.get("bot_id")
    ]
    _open_some(slack, messages[:: max(1, len(messages) // opened)])
    sent = [*messages, *slack.ephemerals, *(shown.view for shown in slack.views)]
    _judge(result, sent, corpus)
    result.require_no_refusals(slack)
    return result


def _shown(slack: SlackServer) -> int:
    return slack.space.posts + len(slack.space.ephemerals)


def _open_some(slack: SlackServer, messages: list[Json]) -> None:
    """Click every button of some messages."""
    for message in messages:
        channel = _channel_of(slack, message)
        for block in message["blocks"]:
            for button in block.get("elements", []):
                if button.get("type") == "button":
                    slack.click(
                        button["action_id"],
                        button.get("value"),
                        message_ts=message["ts"],
                        channel=channel,
                        user="W1",
                    )
                    slack.clock.wait(0.2)
    slack.clock.wait(2.0)


def _channel_of(slack: SlackServer, message: Json) -> str:
    return next(
        f"CW{number}"
        for number in range(1, CHANNELS + 1)
        if any(each["ts"] == message["ts"] for each in slack.messages(f"CW{number}"))
    )


def _judge(result: Result, sent: list[Json], corpus: Path) -> None:
    found = [(effect, message) for message in sent for effect in effects(message)]
    texts = {path.name: path.read_bytes().decode() for path in corpus.iterdir()}
    shown = [quote for message in sent for quote in quotes(message)]
    whole = "\0".join(texts.values())
    altered = [quote for quote in shown if quote not in whole]
    bidi = re.compile("[\u202a-\u202e\u2066-\u2069]")
    names = [name for message in sent for name in _file_names(message)]
    result.figures |= {
        "messages and views": len(sent),
        "pings, links, formatting": len(found),
        "quotes": len(shown),
        "quotes that no file has": len(altered),
        "file names with bidi controls": sum(bool(bidi.search(name)) for name in names),
    }
    for (kind, where), _ in found[:5]:
        result.require(f"{kind} at {where!r}", holds=False)
    result.require("no pings, links, formatting", not found)
    result.require("there are quotes", shown)
    for quote in altered[:3]:
        result.require(f"no file has {quote!r}", holds=False)
    result.require("no bidi controls in file names", not any(map(bidi.search, names)))


def _file_names(message: Json) -> list[str]:
    return [line for line in visible_text(message).splitlines() if line.endswith(".txt")]


def main() -> int:
    made = parser(__doc__)
    made.add_argument("--articles", type=int, default=500)
    options = made.parse_args()
    with tempfile.TemporaryDirectory(prefix="campaign-") as made_folder:
        corpus, index = Path(made_folder) / "corpus", Path(made_folder) / "index"
        questions = write_articles(corpus, count=options.articles, seed=options.seed)
        build_index(corpus, index)
        with stage(index=index, seed=options.seed, corpus=corpus) as (slack, app):
            return run(slack, app, corpus=corpus, questions=questions).show()


if __name__ == "__main__":
    raise SystemExit(main())
