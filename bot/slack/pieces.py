"""A quote with its place and buttons, and as many of them as a message has room for. Pure.

Pieces are shown whole from the first on, as long as they fit; the rest waits behind a button, and
the message says how many those are. A quote that would fit into no message is replaced by its
place, and the message says that too. Nothing is ever cut inside a quote.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bot.slack.controls import MORE, copy_button, open_button, value_of
from bot.slack.elements import (
    MOST_BLOCKS,
    MOST_CHARACTERS,
    Block,
    Message,
    actions,
    button,
    fallback,
    fallback_of,
    one_line,
    quotation,
    rich_text,
    section,
    size,
    source,
    text,
)
from bot.wording import place_of, said_by
from retrieval import Quote

TOO_LONG = "This quote of {:,} characters is too long for a message. Its article has it:"
_ALTERED = "Slack would not show this quote of {:,} characters unchanged. Its article has it:"
_MOST_ALSO = 5  # supporting sources with a line of their own
_MOST_SPOKEN = 1_500  # bytes of a quote in the fallback
_MOST_OF_SPEAKER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A quote and what stands above and below it."""

    quote: Quote
    above: tuple[Block, ...] = ()
    below: tuple[Block, ...] = ()
    buttons: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What stands around the pieces.

    Attributes:
        said: What `head` says, for the fallback.
        buttons: In a row with the one for more quotes.
        left: What there is more of: «quotes» or «passages».
    """

    head: tuple[Block, ...] = ()
    said: tuple[str, ...] = ()
    buttons: tuple[Block, ...] = ()
    foot: tuple[Block, ...] = ()
    left: str = "quotes"


def piece_of(
    quote: Quote, answer_id: str, *, headline: str = "", also: Sequence[Quote] = ()
) -> Piece:
    return Piece(
        quote=quote,
        above=(section(text(headline, style="bold")),) if headline else (),
        below=(section(*source(quote)), *_also(also)),
        buttons=(open_button(answer_id, quote.id), copy_button(answer_id, quote.id)),
    )


def put_together(
    frame: Frame,
    pieces: Sequence[Piece],
    answer_id: str,
    *,
    total: int,
    before: int = 0,
    withheld: Collection[str] = (),
) -> Message:
    """Show as many pieces as there is room for beside the frame."""

    def tail(seen: int) -> tuple[Block, ...]:
        label = f"{total - seen} more {frame.left}"
        more = [button(label, MORE, value_of(answer_id, seen))] if seen < total else []
        buttons = (*more, *frame.buttons)
        return (*([actions(*buttons)] if buttons else []), *frame.foot)

    # The tail is largest before anything was shown, but for the digits of an offset.
    around = [*frame.head, *tail(before)]
    room = MOST_CHARACTERS - size(around) - len(str(total))
    blocks: list[Block] = []
    quotes: list[Quote] = []
    seen, said = before, list(frame.said)
    for piece in pieces:
        whole = piece.quote.id not in withheld and size(_in_full(piece)) <= room
        made = _in_full(piece) if whole else _by_place(piece, withheld)
        if size([*blocks, *made]) > room or len([*around, *blocks, *made]) > MOST_BLOCKS:
            break
        blocks += made
        quotes += [piece.quote] if whole else []
        said.append(spoken(piece.quote))
        seen += 1
    if seen < total:
        said.append(f"{total - seen} more {frame.left}.")
    return Message(
        text=fallback_of(said),
        blocks=(*frame.head, *blocks, *tail(seen)),
        quotes=tuple(quote.text for quote in quotes),
    )


def instead(quote: Quote, why: str) -> Block:
    return section(text(why.format(len(quote.text)), style="italic"))


def spoken(quote: Quote) -> str:
    """Give a quote and its source for the fallback: whole, or its length in its place."""
    said = [one_line(said_by(quote.speaker), most=_MOST_OF_SPEAKER)] if quote.speaker else []
    place = " · ".join([place_of(quote), *said])
    if len(fallback(quote.text).encode()) > _MOST_SPOKEN:
        return f"A quote of {len(quote.text):,} characters — {place}"
    return f"{quote.text}\n— {place}"


def _also(support: Sequence[Quote]) -> Iterator[Block]:
    """Fold the supporting sources into one line each."""
    for quote in support[:_MOST_ALSO]:
        yield section(text("Also in "), *source(quote))
    if len(support) > _MOST_ALSO:
        yield section(text(f"Also in {len(support) - _MOST_ALSO} more"))


def _in_full(piece: Piece) -> tuple[Block, ...]:
    shown = rich_text(*piece.above, quotation(piece.quote.text), *piece.below)
    return shown, actions(*piece.buttons)


def _by_place(piece: Piece, withheld: Collection[str]) -> tuple[Block, ...]:
    """Show where a quote stands in place of the quote, and say why."""
    why = instead(piece.quote, _ALTERED if piece.quote.id in withheld else TOO_LONG)
    return rich_text(*piece.above, why, *piece.below), actions(*piece.buttons)
