"""Messages that are no answers, and what the agent view shows beside them. Pure."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from bot.names import names_in
from bot.slack.elements import (
    Block,
    Message,
    bullets,
    fallback_of,
    name,
    one_line,
    rich_text,
    section,
    text,
)
from bot.visible import safe_name
from retrieval import Article

Refusal = Literal["guest", "external", "channel"]

_MOST_PROMPTS = 4  # setSuggestedPrompts takes no more
_MOST_CHANGED = 5
_OUTSIDE = {"not_in_channel", "channel_not_found"}  # the latter of a private channel
_PROMISE = (
    "I answer questions about the articles by quoting them word for word, and name the file. "
    "When the articles do not say, I say so."
)
WAYS = (
    "Mention me in a channel; I answer in the thread. Follow-up questions there are understood.",
    "Write to me directly.",
    "/ask and a question: only you see the answer, until you share it.",
    "Find the source, in the menu of any message: the quotes that bear on it.",
)
_REFUSALS: dict[Refusal, str] = {
    "guest": "I answer full members of this workspace only, and you are a guest here. "
    "A member can ask for you and share the answer.",
    "external": "I answer members of the workspace that I belong to, and not where people from "
    "outside can read along. A member can ask in a channel of their own.",
    "channel": "I have not been allowed to answer in this channel. Write to me directly, or ask an "
    "administrator of Clippings to allow it.",
}


class Prompt(TypedDict):
    """A question to offer: what its button says, and what is asked when it is pressed."""

    title: str
    message: str


def suggested_prompts(articles: Sequence[Article]) -> tuple[Prompt, ...]:
    """Ask for the names of two words that the articles mention most often, four at most."""
    pairs = [(whole, whole.split(" ")) for whole in names_in(articles) if _is_full_name(whole)]
    chosen: list[str] = []
    taken: set[str] = set()
    for whole, words in pairs:
        if len(chosen) < _MOST_PROMPTS and taken.isdisjoint(words):
            chosen.append(whole)
            taken.update(words)
    return tuple(
        {"title": whole, "message": f"What do the articles say about {whole}?"} for whole in chosen
    )


def status_texts(articles: int) -> tuple[str, ...]:
    """Say what is done while the asker waits, each in at most 50 characters; the first first."""
    files = "1 article" if articles == 1 else f"{articles:,} articles"
    return f"is searching {files}…", "is comparing what they say…", "is looking up the lines…"


def help_message(prompts: Sequence[Prompt] = ()) -> Message:
    parts = [section(text(_PROMISE)), section(text("\nHow to ask", style="bold")), bullets(WAYS)]
    said = [_PROMISE, *WAYS]
    if prompts:
        asked = [prompt["message"] for prompt in prompts]
        parts += [section(text("\nFor example", style="bold")), bullets(asked)]
        said += ["For example:", *asked]
    return Message(text=fallback_of(said), blocks=(rich_text(*parts),))


def hint_message(prompts: Sequence[Prompt] = ()) -> Message:
    """Answer a mention without a question."""
    example = f" For example: {prompts[0]['message']}" if prompts else ""
    return _notice(f"What would you like to know? Mention me together with your question.{example}")


def busy_message(questions: int = 1) -> Message:
    """Say that somebody's last questions, this many, found no room."""
    which = "Yours was" if questions == 1 else f"Your last {questions} were"
    return _notice(
        f"Too many questions are waiting. {which} not taken; please ask again in a minute."
    )


def refusal_message(why: Refusal) -> Message:
    return _notice(_REFUSALS[why])


def failure_message(reference: str | None = None) -> Message:
    """Say that an answer could not be made.

    Args:
        reference: What finds the failure in the log; never the text of an exception.
    """
    said = "Your question could not be answered: something is wrong on my side. Please ask again."
    if reference is not None:
        said += " If it happens once more, tell whoever runs Clippings this reference: "
        said += one_line(reference, most=80)
    return _notice(said)


def too_long_message(most: int) -> Message:
    return _notice(f"Your question is too long. Please ask in at most {most:,} characters.")


def gone_message() -> Message:
    """Answer a button of an answer whose articles are not kept any more."""
    return _notice(
        "The articles have been indexed anew since this answer, and what it quotes is not kept any "
        "more. Please ask again."
    )


def late_message() -> Message:
    """Answer a click that came too late to open anything, or while Slack makes us wait."""
    return _notice("That took too long, and nothing could be opened. Please press it again.")


def unshared_message(code: str) -> Message:
    """Say why an answer could not be shared, and what to do.

    Args:
        code: Slack's error code.
    """
    if code in _OUTSIDE:
        return _notice(
            "I can not post here, because I am not in this channel. Type /invite @Clippings, then "
            "press Share again."
        )
    return _notice("This could not be posted here: Slack did not take it.")


def thanks_message() -> Message:
    return _notice("Thank you. Your feedback was noted; you can change it with the same buttons.")


def changed_note(paths: Sequence[str]) -> Message:
    """Say in the thread of an answer that articles have changed since it quoted them."""
    shown, more = paths[:_MOST_CHANGED], len(paths) - _MOST_CHANGED
    names: list[Block] = []
    for path in shown:
        names += [text(", "), name(path)] if names else [name(path)]
    listed = ", ".join(safe_name(path) for path in shown)
    rest = f" and {more:,} more" if more > 0 else ""
    rest += (
        " changed or went away after the answer above. Its quotes are what was written there then; "
        "ask again for what is written now."
    )
    return Message(
        text=fallback_of([listed + rest]), blocks=(rich_text(section(*names, text(rest))),)
    )


def _notice(shown: str) -> Message:
    return Message(text=fallback_of([shown]), blocks=(rich_text(section(text(shown))),))


def _is_full_name(whole: str) -> bool:
    """Tell «Tammy Bruce» from «US Secretary», «The Ministry» and «United States’»."""
    words = whole.split(" ")
    return (
        len(words) == 2  # noqa: PLR2004
        and words[0] != "The"
        and all(word.isalpha() and not word.isupper() and len(word) > 1 for word in words)
    )
