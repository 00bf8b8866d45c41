"""Reply → what Slack shows. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import assert_never

from bot.batch import Json
from bot.slack.controls import SHARE, feedback, value_of
from bot.slack.elements import (
    MOST_CHARACTERS,
    Block,
    Message,
    button,
    context,
    divider,
    fallback_of,
    one_line,
    preformatted,
    rich_text,
    section,
    size,
    source,
    text,
)
from bot.slack.notices import Prompt, help_message
from bot.slack.pieces import TOO_LONG, Frame, Piece, instead, piece_of, put_together, spoken
from bot.wording import CONFLICTS, REASONS
from retrieval import Abstention, Answer, Finding, Help, Quote, Reply, Resolved

__all__ = [
    "SHOWN",
    "Message",
    "answer_message",
    "answer_messages",
    "answer_quotes",
    "copy_message",
    "more_message",
    "private_answer_message",
    "quotes_in",
    "shared_answer_message",
    "shared_quotes_message",
]

SHOWN = 3  # leads of a message, if they fit
_MOST_ECHO = 300
_MOST_OF_PERSON = 80
# From which probability on what is said of the first quote.
_CONFIDENCE = (
    (0.85, "Very likely right"),
    (0.65, "Probably right"),
    (0.5, "More likely right than not"),
)


def answer_quotes(reply: Reply) -> tuple[Quote, ...]:
    """Give every quote of a reply once, in the order of showing: what buttons may ask for."""
    match reply:
        case Answer():
            told = [piece.quote for piece in _answer_pieces(reply.findings, "")]
            also = [quote for finding in reply.findings for quote in finding.support]
            return tuple({quote.id: quote for quote in (*told, *also)}.values())
        case Abstention():
            return reply.nearest
        case Help():
            return ()
        case _:
            assert_never(reply)


def answer_message(
    reply: Reply,
    *,
    answer_id: str,
    shown: int = SHOWN,
    withheld: Collection[str] = (),
    prompts: Sequence[Prompt] = (),
) -> Message:
    """Show a reply in the thread of its question.

    Args:
        shown: The most leads (or nearest passages) to show, >= 1.
        withheld: Ids of quotes of which only the place is shown, because Slack did not store them
            as they are.
        prompts: Questions that the help may offer.
    """
    frame = Frame(foot=(feedback(answer_id),))
    return _message(reply, frame, answer_id, shown=shown, withheld=withheld, prompts=prompts)


def answer_messages(
    reply: Reply, *, answer_id: str, shown: int = SHOWN, prompts: Sequence[Prompt] = ()
) -> tuple[Message, ...]:
    """Give the message and what to post instead if Slack refuses or alters it, best first."""
    every = [quote.id for quote in answer_quotes(reply)]
    made = (
        answer_message(reply, answer_id=answer_id, shown=shown, prompts=prompts),
        answer_message(reply, answer_id=answer_id, shown=1, prompts=prompts),
        answer_message(reply, answer_id=answer_id, shown=1, withheld=every, prompts=prompts),
    )
    return tuple(message for at, message in enumerate(made) if message not in made[:at])


def private_answer_message(
    reply: Reply, *, answer_id: str, asked: str, shown: int = SHOWN, prompts: Sequence[Prompt] = ()
) -> Message:
    """Show a reply to the asker alone, below the question, with a button that shares it."""
    said = f"You asked: {one_line(asked, most=_MOST_ECHO)}"
    frame = Frame(
        head=(_italic(said),),
        buttons=(button("Share with the channel", SHARE, value_of(answer_id)),),
        foot=(context("Only you can see this."),),
    )
    return _message(reply, frame, answer_id, shown=shown, prompts=prompts)


def shared_answer_message(
    reply: Reply, *, answer_id: str, asked: str, shared_by: str, shown: int = SHOWN
) -> Message:
    """Show everybody what somebody asked in private.

    Args:
        shared_by: What the sharer is called. It is shown as text: nobody is pinged.
    """
    who = one_line(shared_by, most=_MOST_OF_PERSON)
    said = f"{one_line(asked, most=_MOST_ECHO)} (shared by {who})"
    frame = Frame(head=(_italic(said),), said=(said,), foot=(feedback(answer_id),))
    return _message(reply, frame, answer_id, shown=shown)


def shared_quotes_message(quotes: Sequence[Quote], *, answer_id: str, shared_by: str) -> Message:
    """Show everybody the quotes of an answer whose question is not known any more."""
    said = f"Passages from the articles, shared by {one_line(shared_by, most=_MOST_OF_PERSON)}."
    return _passages(f"{said} They may not answer a question.", quotes, answer_id, before=0)


def more_message(quotes: Sequence[Quote], *, answer_id: str, offset: int) -> Message:
    """Show quotes of an answer that were not shown yet.

    Args:
        quotes: All that `answer_quotes` gave.
        offset: How many were shown before, as the button says.
    """
    said = "More on this question. These passages may not answer it."
    return _passages(said, quotes, answer_id, before=offset)


def copy_message(quote: Quote) -> Message:
    """Show a bare quote, ready to be copied, and below it where it stands."""
    below = section(text("— "), *source(quote), text(f" · {quote.id}"))
    blocks = (rich_text(preformatted(quote.text), below),)
    if size(blocks) > MOST_CHARACTERS:
        blocks = (rich_text(instead(quote, TOO_LONG), below),)
    return Message(text=fallback_of([spoken(quote)]), blocks=blocks)


def quotes_in(blocks: Json) -> tuple[str, ...]:
    """Read the text of each rich_text_quote, in order: of our blocks, or of those Slack stored."""
    return tuple(_quotes_in(blocks))


def _message(
    reply: Reply,
    frame: Frame,
    answer_id: str,
    *,
    shown: int,
    withheld: Collection[str] = (),
    prompts: Sequence[Prompt] = (),
) -> Message:
    total = len(answer_quotes(reply))
    match reply:
        case Answer():
            frame = _answer_frame(reply, frame)
            pieces = list(_answer_pieces(reply.findings[:shown], answer_id))
        case Abstention():
            frame = _abstention_frame(reply, frame)
            pieces = [piece_of(quote, answer_id) for quote in reply.nearest[:shown]]
        case Help():
            return help_message(prompts)
        case _:
            assert_never(reply)
    return put_together(frame, pieces, answer_id, total=total, withheld=withheld)


def _passages(said: str, quotes: Sequence[Quote], answer_id: str, *, before: int) -> Message:
    frame = Frame(head=(rich_text(section(text(said, style="bold"))),), said=(said,))
    pieces = [piece_of(quote, answer_id) for quote in quotes[before:]]
    return put_together(frame, pieces, answer_id, before=before, total=len(quotes))


def _answer_frame(reply: Answer, frame: Frame) -> Frame:
    return replace(
        frame,
        head=(*frame.head, *_resolved(reply.resolved)),
        foot=(context(_confidence(reply.confidence)), *frame.foot),
    )


def _abstention_frame(reply: Abstention, frame: Frame) -> Frame:
    no, why = "The articles do not say.", REASONS[reply.reason]
    if reply.missing:
        why += f"\nNo article mentions: {one_line(', '.join(reply.missing), most=_MOST_ECHO)}"
    head = [*frame.head, *_resolved(reply.resolved)]
    head.append(rich_text(section(text(no, style="bold"), text(f"\n{why}"))))
    said = [*frame.said, f"{no} {why}"]
    if reply.nearest:
        nearest = "The nearest passages. They are not an answer:"
        head += [divider(), rich_text(section(text(nearest, style="bold")))]
        said.append(nearest)
    return replace(frame, head=tuple(head), said=tuple(said), left="passages")


def _resolved(resolved: Resolved) -> Iterator[Block]:
    """Say what was searched for, if it is not what was asked."""
    lines = [
        f"Searched for “{searched}” instead of “{asked}”." for asked, searched in resolved.spelled
    ]
    if resolved.added:
        lines.insert(0, f"Searched together with: {', '.join(resolved.added)}.")
    if lines:
        yield _italic(one_line(" ".join(lines), most=_MOST_ECHO))


def _confidence(probability: float) -> str:
    words = next((words for least, words in _CONFIDENCE if probability >= least), "Perhaps right")
    often = min(max(round(probability * 10), 1), 9)
    return f"{words}: first quotes like this one are right in about {often} of 10 cases."


def _answer_pieces(findings: Iterable[Finding], answer_id: str) -> Iterator[Piece]:
    """Give a piece for each lead and each conflict, and none twice."""
    seen: set[str] = set()
    for finding in findings:
        lead = piece_of(finding.lead, answer_id, also=finding.support)
        against = [
            piece_of(conflict.quote, answer_id, headline=f"Sources differ. This one gives {kind}:")
            for conflict in finding.conflicts
            for kind in [CONFLICTS[conflict.kind]]
        ]
        for piece in (lead, *against):
            if piece.quote.id not in seen:
                seen.add(piece.quote.id)
                yield piece


def _italic(shown: str) -> Block:
    return rich_text(section(text(shown, style="italic")))


def _quotes_in(blocks: Json) -> Iterator[str]:
    if isinstance(blocks, Mapping):
        if blocks.get("type") == "rich_text_quote":
            yield "".join(_texts_in(blocks.get("elements")))
        else:
            yield from _quotes_in(list(blocks.values()))
    elif isinstance(blocks, list | tuple):
        for block in blocks:
            yield from _quotes_in(block)


def _texts_in(elements: Json) -> Iterator[str]:
    """Read the text elements; whatever Slack made of a text in their place is missing."""
    for element in elements if isinstance(elements, list) else []:
        if isinstance(element, Mapping) and element.get("type") == "text":
            yield str(element.get("text"))
