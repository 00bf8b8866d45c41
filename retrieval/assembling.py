"""Many new articles → one segment, shard by shard: memory stays bounded, a kill costs one shard.

Articles are cut into shards, each made and put on the disk for itself. A few shards become a larger
one, some of these a larger one still, up to one segment: a merge never has more than `FAN_IN`
segments open. Whatever is finished is found by its id when the build is begun again; and where an
article has come between, so that the shards are others, their vectors are found.
Where shards are made, here or on a cluster, changes no byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from retrieval.durable import File
from retrieval.embedding import Encoder
from retrieval.errors import ClusterFault
from retrieval.joining import Joined, Part, join, whole_part
from retrieval.making import make_segment
from retrieval.merging import merge_segments, merged_identity
from retrieval.orders import Made, order_of
from retrieval.reuse import Known
from retrieval.scanning import New, Spool
from retrieval.segments import Segment, open_segment, segment_id
from retrieval.shards import Draft, remove_shard, write_shard
from retrieval.spreading import spread

SHARD_BYTES = 2_000_000  # of text: some 8,000 passages, a minute or two of encoding
FAN_IN = 16

OnRows = Callable[[int, int], None]  # rows of vectors that are merged, and of how many
Make = Callable[[str, Sequence[New]], Mapping[str, File]]  # id and articles of a shard → its files


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What segments are made with.

    Attributes:
        index: Where shards are put.
        known: Vectors that need not be computed; what is made here is added.
        ready: What a build that was killed had finished, by id; known, too.
        cluster: The address of a Dask scheduler whose workers make the shards; None: this process.
        on_bytes: Told how many bytes of articles are encoded since the last call, perhaps not
            whole ones.
        on_rows: Told how far a merge is.
    """

    index: Path
    encoder: Encoder
    spool: Spool
    known: Known
    ready: Mapping[str, Segment]
    cluster: str | None
    on_bytes: Callable[[float], None]
    on_rows: OnRows


def assemble(news: Sequence[New], bench: Bench) -> Segment:
    """Make the segment of some articles, sorted by key; at least one."""
    shards = list(_shards(news))
    with _making(shards, bench) as make:
        return _assemble(shards, bench, make)


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


def _assemble(shards: Sequence[tuple[New, ...]], bench: Bench, make: Make) -> Segment:
    identity, news = _identity(shards, bench), [new for shard in shards for new in shard]
    if identity in bench.ready:
        bench.on_bytes(_size(news))
        return bench.ready[identity]
    if len(shards) == 1:
        segment = open_segment(identity, make(identity, news))
        bench.known.add(segment)
        return segment
    inner = [_assemble(group, bench, make) for group in _groups(shards)]
    segment = _merged(join([whole_part(each) for each in inner]), bench)
    bench.known.replace(inner, segment)
    for each in inner:
        remove_shard(bench.index, each.id)
    return segment


def _missing(
    shards: Sequence[tuple[New, ...]], bench: Bench
) -> Iterator[tuple[str, tuple[New, ...]]]:
    """Give id and articles of the shards that `_assemble` will have made, in its order."""
    identity = _identity(shards, bench)
    if identity in bench.ready:
        return
    if len(shards) == 1:
        yield identity, shards[0]
        return
    for group in _groups(shards):
        yield from _missing(group, bench)


def _identity(shards: Sequence[tuple[New, ...]], bench: Bench) -> str:
    pairs = ((new.key[1], new.digest) for shard in shards for new in shard)
    return segment_id(pairs, fingerprint=bench.encoder.fingerprint)


def _size(news: Sequence[New]) -> int:
    return sum(new.size for new in news)


def _groups(shards: Sequence[tuple[New, ...]]) -> Iterator[Sequence[tuple[New, ...]]]:
    """Cut into at most `FAN_IN` groups of about equal length."""
    count = min(FAN_IN, len(shards))
    bounds = [len(shards) * number // count for number in range(count + 1)]
    for number in range(count):
        yield shards[bounds[number] : bounds[number + 1]]


@contextmanager
def _making(shards: Sequence[tuple[New, ...]], bench: Bench) -> Iterator[Make]:
    """Give what makes a shard, here or on the cluster; its workers are called by the first one."""
    if bench.cluster is None:
        yield partial(_make_here, bench)
        return
    missing = dict(_missing(shards, bench))
    encoding = _Encoding(bench, {identity: _size(news) for identity, news in missing.items()})
    orders = (
        order_of(identity, [bench.spool.article(new) for new in news], bench.encoder, bench.known)
        for identity, news in missing.items()
    )
    arriving = spread(bench.cluster, orders, on_share=encoding.tell)
    with closing(arriving):
        written: dict[str, Mapping[str, File]] = {}

        def make(identity: str, _news: Sequence[New]) -> Mapping[str, File]:
            while identity not in written:
                arrived, made = next(arriving)
                written[arrived] = write_shard(bench.index, arrived, partial(_fill, made))
                encoding.tell(arrived, 1.0)
            return written.pop(identity)

        yield make


def _make_here(bench: Bench, identity: str, news: Sequence[New]) -> Mapping[str, File]:
    encoding = _Encoding(bench, {identity: _size(news)})

    def fill(draft: Draft) -> None:
        articles = [bench.spool.article(new) for new in news]
        make_segment(
            draft,
            articles,
            encoder=bench.encoder,
            known=bench.known,
            on_share=lambda share: encoding.tell(identity, share),
        )

    files = write_shard(bench.index, identity, fill)
    encoding.tell(identity, 1.0)
    return files


def _fill(made: tuple[Made, ...], draft: Draft) -> None:
    """Write what a worker made."""
    for name, sha256, data in made:
        draft.add(name, data)
        if draft.files[name].promise.sha256 != sha256:
            raise ClusterFault(f"{name} of a shard is not what a worker of the cluster sent.")


class _Encoding:
    """Tells how many bytes are encoded, from the shares of shards that are made at once."""

    def __init__(self, bench: Bench, sizes: Mapping[str, int]) -> None:
        self._bench, self._sizes = bench, sizes
        self._shares = dict.fromkeys(sizes, 0.0)

    def tell(self, identity: str, share: float) -> None:
        """Note the share of a shard; one that is begun again is told of when it comes further."""
        more = share - self._shares[identity]
        if more > 0:
            self._shares[identity] = share
            self._bench.on_bytes(more * self._sizes[identity])


def _merged(joined: Joined, bench: Bench) -> Segment:
    identity = merged_identity(joined, fingerprint=bench.encoder.fingerprint)
    files = write_shard(
        bench.index, identity, lambda draft: merge_segments(draft, joined, on_rows=bench.on_rows)
    )
    return open_segment(identity, files)
