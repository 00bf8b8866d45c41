"""The App Home: what the bot knows, how to ask, what the user asked. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from bot.batch import Json
from bot.slack.controls import POLICY
from bot.slack.elements import Block, bullets, header, one_line, plain, rich_text, section, text
from bot.slack.notices import WAYS, Prompt
from bot.wording import day_of

_MOST_QUESTIONS = 10
_MOST_OF_QUESTION = 200
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the bot knows.

    Attributes:
        undated: Articles that do not say when they were published.
        earliest: First day of publication, or None if no article has one.
        age: Of the index.
    """

    articles: int
    undated: int
    earliest: date | None
    latest: date | None
    age: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyView:
    """Where the bot answers.

    Attributes:
        default: What holds for a channel that is not listed.
        channels: Ids of those for which the opposite holds.
    """

    default: Literal["allowed", "denied"]
    channels: tuple[str, ...]


def home_view(
    known: Known, *, prompts: Sequence[Prompt], questions: Sequence[str], policy: PolicyView | None
) -> Block:
    """Lay out the App Home.

    Args:
        questions: The user's own, the latest first.
        policy: For administrators; None for others.
    """
    asked = [one_line(question, most=_MOST_OF_QUESTION) for question in questions]
    blocks = [
        header("What I know"),
        rich_text(bullets(_facts(known))),
        header("How to ask"),
        rich_text(bullets(WAYS)),
    ]
    if prompts:
        examples = bullets(prompt["message"] for prompt in prompts)
        blocks.append(rich_text(section(text("For example", style="bold")), examples))
    blocks.append(header("Your last questions"))
    blocks.append(rich_text(bullets(asked[:_MOST_QUESTIONS] or ["None yet."])))
    if policy is not None:
        blocks += [header("Where I answer"), _policy(policy)]
    return {"type": "home", "blocks": list(blocks)}


def _facts(known: Known) -> list[str]:
    published = "None of them says when it was published."
    if known.earliest and known.latest:
        published = f"Published from {day_of(known.earliest)} to {day_of(known.latest)}"
        published += f"; {known.undated:,} without a date." if known.undated else "."
    return [_counted(known.articles, "article"), published, f"Indexed {_ago(known.age)}."]


def _policy(policy: PolicyView) -> Block:
    """Show the channels that an administrator may choose; POLICY says which were chosen."""
    told = {
        "denied": "I answer in the channels chosen here, and in no others.",
        "allowed": "I answer in every channel but those chosen here.",
    }
    kinds: list[Json] = ["public", "private"]
    select: Block = {
        "type": "multi_conversations_select",
        "action_id": POLICY,
        "placeholder": plain("Choose channels"),
        "filter": {"include": kinds, "exclude_external_shared_channels": True},
    }
    if policy.channels:
        select["initial_conversations"] = list(policy.channels)
    return {"type": "section", "text": plain(told[policy.default]), "accessory": select}


def _ago(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < _MINUTE:
        return "just now"
    if seconds < _HOUR:
        return f"{_counted(seconds // _MINUTE, 'minute')} ago"
    if seconds < _DAY:
        return f"{_counted(seconds // _HOUR, 'hour')} ago"
    return f"{_counted(seconds // _DAY, 'day')} ago"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
