"""Many new articles → one segment, shard by shard: memory stays bounded, a kill costs one shard.

Articles are cut into shards, each made and put on the disk for itself. A few shards become a larger
one, some of these a larger one still, up to one segment: a merge never has more than `FAN_IN`
segments open. Whatever is finished is found by its id when the build is begun again; and where an
article has come between, so that the shards are others, their vectors are found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval.embedding import Encoder
from retrieval.joining import Joined, Part, join, whole_part
from retrieval.making import make_segment
from retrieval.merging import merge_segments, merged_identity
from retrieval.reuse import Known
from retrieval.scanning import New, Spool
from retrieval.segments import Segment, open_segment, segment_id
from retrieval.shards import Draft, remove_shard, write_shard

SHARD_BYTES = 2_000_000  # of text: some 8,000 passages, a minute or two of encoding
FAN_IN = 16

OnRows = Callable[[int, int], None]  # rows of vectors that are merged, and of how many


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What segments are made with.

    Attributes:
        index: Where shards are put.
        known: Vectors that need not be computed; what is made here is added.
        ready: What a build that was killed had finished, by id; known, too.
        on_bytes: Told how many bytes of articles are encoded since the last call, perhaps not
            whole ones.
        on_rows: Told how far a merge is.
    """

    index: Path
    encoder: Encoder
    spool: Spool
    known: Known
    ready: Mapping[str, Segment]
    on_bytes: Callable[[float], None]
    on_rows: OnRows


def assemble(news: Sequence[New], bench: Bench) -> Segment:
    """Make the segment of some articles, sorted by key; at least one."""
    return _assemble(list(_shards(news)), bench)


def merge_parts(parts: Sequence[Part], bench: Bench) -> Segment:
    """Make the segment of all living articles of some segments; at least one of them lives."""
    return _merged(join(parts), bench)


def _shards(news: Sequence[New]) -> Iterator[tuple[New, ...]]:
    shard: list[New] = []
    size = 0
    for new in news:
        shard.append(new)
        size += new.size
        if size >= SHARD_BYTES:
            yield tuple(shard)
            shard, size = [], 0
    if shard:
        yield tuple(shard)


def _assemble(shards: Sequence[tuple[New, ...]], bench: Bench) -> Segment:
    news = [new for shard in shards for new in shard]
    pairs = ((new.key[1], new.digest) for new in news)
    identity = segment_id(pairs, fingerprint=bench.encoder.fingerprint)
    size = sum(new.size for new in news)
    if identity in bench.ready:
        bench.on_bytes(size)
        return bench.ready[identity]
    if len(shards) == 1:
        return _made(identity, news, size, bench)
    inner = [_assemble(group, bench) for group in _groups(shards)]
    segment = _merged(join([whole_part(each) for each in inner]), bench)
    bench.known.replace(inner, segment)
    for each in inner:
        remove_shard(bench.index, each.id)
    return segment


def _groups(shards: Sequence[tuple[New, ...]]) -> Iterator[Sequence[tuple[New, ...]]]:
    """Cut into at most `FAN_IN` groups of about equal length."""
    count = min(FAN_IN, len(shards))
    bounds = [len(shards) * number // count for number in range(count + 1)]
    for number in range(count):
        yield shards[bounds[number] : bounds[number + 1]]


def _made(identity: str, news: Sequence[New], size: int, bench: Bench) -> Segment:
    done = 0.0

    def on_share(share: float) -> None:
        nonlocal done
        bench.on_bytes((share - done) * size)
        done = share

    def fill(draft: Draft) -> None:
        articles = [bench.spool.article(new) for new in news]
        make_segment(draft, articles, encoder=bench.encoder, known=bench.known, on_share=on_share)

    files = write_shard(bench.index, identity, fill)
    on_share(1.0)
    segment = open_segment(identity, files)
    bench.known.add(segment)
    return segment


def _merged(joined: Joined, bench: Bench) -> Segment:
    identity = merged_identity(joined, fingerprint=bench.encoder.fingerprint)
    files = write_shard(
        bench.index, identity, lambda draft: merge_segments(draft, joined, on_rows=bench.on_rows)
    )
    return open_segment(identity, files)
