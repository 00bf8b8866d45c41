"""The one way at index time: a folder of articles → a generation.

A generation is a list of segments. What changed since the last one becomes a small segment beside
the others, and what it replaces is dead in them; so a small change to a large archive is published
at once. When what is small or dead adds up to a tenth, all is merged into one segment, the very one
that a build from nothing makes. Only what is new is encoded, wherever its text stood before.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from retrieval.assembling import Bench, assemble, merge_parts
from retrieval.corpus import Skipped
from retrieval.cutting import cut
from retrieval.datatypes import Article
from retrieval.embedding import Encoder
from retrieval.errors import IndexDamaged, IndexFault, IndexUnwritable
from retrieval.generations import (
    FORMAT,
    collect,
    current,
    locked,
    publish,
    read_manifest,
    remove_leftovers,
)
from retrieval.joining import Part, whole_part
from retrieval.library import Facts, Listed, Opened, facts_of, listed, to_json
from retrieval.reuse import Known
from retrieval.scanning import Changed, New, Scan, Seen, content_of, scan, spool_in
from retrieval.segments import PASSAGES, PUBLISHED, SENTENCES, Segment, open_segment
from retrieval.shards import find_shard, finished_shards, remove_drafts, remove_shards

Progress = Callable[[str, int, int], None]  # stage, done, total

LOOSE = 0.1  # the share of sentences that may be dead, or lie in small segments
MOST_SMALL = 8  # small segments


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a build did.

    Attributes:
        unchanged: Articles whose bytes the previous generation had under the same path.
        reused: Sentences whose vectors were there already.
        published: False if a generation of this very content was current already.
    """

    generation: str
    articles: int
    sentences: int
    passages: int
    unchanged: int
    reused: int
    skipped: tuple[Skipped, ...]
    ignored: int
    published: bool


@dataclass(slots=True, kw_only=True)
class Memory:
    """What a process that builds again and again need not read or hash again.

    Attributes:
        segments: Those of the last generation, open, by id.
        seen: The files of the corpus that were read.
        generation: The last generation.
        scan: What the corpus held then; None before the first build.
    """

    segments: Mapping[str, Segment] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    generation: str = ""
    scan: Scan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Previous:
    """The generation that is being replaced, as far as it is whole.

    Attributes:
        generation: Its id; "" if there is none that can be used.
        parts: Its segments.
        digests: Sha256 of their living articles, by path.
        is_whole: Whether no segment is missing.
    """

    generation: str
    facts: Facts | None
    parts: tuple[Part, ...]
    digests: Mapping[str, bytes]
    is_whole: bool

    def of(self, encoder: Encoder) -> _Previous:
        """Give what an encoder can use of it."""
        is_same = self.facts is not None and self.facts.fingerprint == encoder.fingerprint
        return self if is_same else _NOTHING


_NOTHING = _Previous(generation="", facts=None, parts=(), digests={}, is_whole=False)


def build(
    corpus: Path,
    index: Path,
    encoder: Encoder,
    *,
    limit_bytes: int,
    clock: Callable[[], float],
    wait: Callable[[float], None],
    on_progress: Progress,
    memory: Memory | None = None,
    changed: Collection[str] | None = None,
    cluster: str | None = None,
) -> Report:
    """Index a folder of articles; readers keep the old generation until the new one is whole.

    Args:
        corpus: The folder of articles.
        index: The folder of the index; made if it is missing.
        encoder: Loaded only if there is something to encode.
        limit_bytes: Larger files are skipped.
        clock: Seconds since the epoch.
        wait: Waits so many seconds, for files that are just being written.
        on_progress: Told the stage («reading», «encoding» in bytes of articles, «merging» in
            vectors, «writing»), and how much of it is done.
        memory: Of the builds that this process did before of this folder; brought up to date.
        changed: The only paths in the folder where something happened since the last of them;
            None: anything may have. What is none of them is looked at too where the last build was
            another process's, or where only that tells.
        cluster: The address of a Dask scheduler whose workers make the shards; None: this process.

    Raises:
        ClusterFault: It can not make them; what is finished is found by the next build.
        CorpusError: Nothing there to index.
        IndexBusy: Another build is under way.
        IndexUnwritable: The disk is full or closed to us.
        ModelError: The model can not be loaded.
    """
    memory = memory or Memory()
    with locked(index), spool_in(index) as spool:  # before any work: two builds would do it twice
        remove_leftovers(index)
        remove_drafts(index)
        previous = _previous(index, memory)
        usable = previous.of(encoder)
        found = scan(
            corpus,
            changed=_changed(changed, usable, memory),
            indexed=usable.digests,
            seen=memory.seen,
            spool=spool,
            limit_bytes=limit_bytes,
            clock=clock,
            wait=wait,
            on_file=lambda done, total: on_progress("reading", done, total),
        )
        kept = _without(usable.parts, _gone(usable.digests, found.digests))
        ready = _waiting(index, encoder)
        segments = [part.segment for part in usable.parts]
        bench = Bench(
            index=index,
            encoder=encoder,
            spool=spool,
            known=Known([*segments, *ready.values()]),
            ready=ready,
            cluster=cluster,
            on_bytes=_Bytes(on_progress, sum(new.size for new in found.new)).add,
            on_rows=lambda done, total: on_progress("merging", done, total),
        )
        reused = sum(_living_sentences(part) for part in kept)
        parts = _with_new(kept, found.new, bench)
        facts = _facts(corpus, encoder, found, parts)
        generation = previous.generation
        is_new = not usable.is_whole or usable.facts != facts or _is_loose(parts)
        if not usable.is_whole or usable.facts != facts:
            generation = _publish(index, parts, facts, on_progress)
        if _is_loose(parts):
            parts = _compact(parts, bench)
            generation = _publish(index, parts, facts, on_progress)
        # The index is built; what can not be deleted now only takes up room.
        with suppress(IndexUnwritable):
            remove_shards(index)
            collect(index)
        memory.segments = {part.segment.id: part.segment for part in parts}
        memory.generation, memory.scan = generation, found
    return Report(
        generation=generation,
        articles=facts.articles,
        sentences=facts.sentences,
        passages=facts.passages,
        unchanged=sum(previous.digests.get(path) == sha for path, sha in found.digests.items()),
        reused=reused + bench.known.reused,
        skipped=found.skipped,
        ignored=found.ignored,
        published=is_new,
    )


def warm(encoder: Encoder) -> None:
    """Load all that a new article needs, so that the first one does not wait for it.

    Raises:
        ModelError: The model can not be loaded.
    """
    text = "The talks began on Monday. They went on."
    cut(Article(path="warm.txt", raw=text.encode(), text=text))
    encoder.encode_in_context([text], [[(0, 26)]])


def _changed(paths: Collection[str] | None, previous: _Previous, memory: Memory) -> Changed | None:
    """Give where to look; None where the last build was not the one that is remembered."""
    if paths is None or memory.scan is None:
        return None
    is_last = previous.is_whole and previous.generation == memory.generation
    return Changed(paths=paths, before=memory.scan) if is_last else None


class _Bytes:
    """Counts bytes of articles as they are encoded."""

    def __init__(self, on_progress: Progress, total: int) -> None:
        self._on_progress = on_progress
        self._total = total
        self._done = 0.0

    def add(self, count: float) -> None:
        self._done += count
        self._on_progress("encoding", min(round(self._done), self._total), self._total)


def _previous(index: Path, memory: Memory) -> _Previous:
    try:
        generation = current(index)
        manifest = read_manifest(index, generation)
        facts, names = facts_of(manifest), listed(manifest)
    except IndexFault:
        return _NOTHING
    opened = Opened(memory.segments)
    parts: list[Part] = []
    for each in names:
        with suppress(IndexDamaged):  # its articles are indexed anew
            parts.append(opened.part(manifest, each))
    is_whole = len(parts) == len(names)
    is_remembered = is_whole and generation == memory.generation
    return _Previous(
        generation=generation,
        facts=facts,
        parts=tuple(parts),
        digests=memory.scan.digests if is_remembered and memory.scan else _digests(parts),
        is_whole=is_whole,
    )


def _digests(parts: Iterable[Part]) -> dict[str, bytes]:
    found = {}
    for part in parts:
        paths, living = part.segment.all_paths(), (~part.dead).tolist()
        for number, path in enumerate(paths):
            if living[number]:
                found[path] = part.segment.digest(number)
    return found


def _gone(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> set[str]:
    """Give the paths whose articles were removed or replaced."""
    return {path for path, digest in before.items() if now.get(path) != digest}


def _without(parts: Iterable[Part], gone: set[str]) -> list[Part]:
    """Give the parts with some articles dead, by their paths, and without those that all are."""
    import numpy as np

    kept = []
    for part in parts:
        dead = part.dead
        if gone:
            paths = part.segment.all_paths()
            dead = dead | np.array([path in gone for path in paths], dtype=np.bool_)
        if not dead.all():
            kept.append(Part(segment=part.segment, dead=dead))
    return kept


def _waiting(index: Path, encoder: Encoder) -> dict[str, Segment]:
    """Open what a build that was killed had finished, by id."""
    waiting = {}
    for identity in finished_shards(index):
        files = find_shard(index, identity)
        with suppress(IndexDamaged):
            if files is not None:
                segment = open_segment(identity, files)
                if segment.facts.fingerprint == encoder.fingerprint:
                    waiting[identity] = segment
    return waiting


def _with_new(kept: Sequence[Part], news: Sequence[New], bench: Bench) -> list[Part]:
    """Give the parts with what is new as one more, or as one part if that is very much."""
    parts = list(kept)
    if news:
        parts.append(whole_part(assemble(news, bench)))
    before = sum(_living_sentences(part) for part in kept)
    added = sum(_living_sentences(part) for part in parts) - before
    return _compact(parts, bench) if added > LOOSE * before else parts


def _is_loose(parts: Sequence[Part]) -> bool:
    """Tell whether too much is dead or lies in small segments."""
    return _is_much(parts) or len(parts) - 1 > MOST_SMALL


def _is_much(parts: Sequence[Part]) -> bool:
    living = [_living_sentences(part) for part in parts]
    dead = sum(part.segment.facts.sentences for part in parts) - sum(living)
    small = sum(living) - max(living)
    return dead + small > LOOSE * sum(living)


def _compact(parts: Sequence[Part], bench: Bench) -> list[Part]:
    """Merge all parts, or the small ones if they are only too many."""
    if not _is_loose(parts):
        return list(parts)
    if _is_much(parts):
        return [whole_part(merge_parts(parts, bench))]
    largest = max(parts, key=_living_sentences)
    small = [part for part in parts if part is not largest]
    return [largest, whole_part(merge_parts(small, bench))]


def _living_sentences(part: Part) -> int:
    return _living(part, SENTENCES)


def _living(part: Part, column: int) -> int:
    import numpy as np

    return int(np.diff(part.segment.begins[:, column])[~part.dead].sum())


def _publish(index: Path, parts: Sequence[Part], facts: Facts, on_progress: Progress) -> str:
    on_progress("writing", 0, 1)
    names = [
        Listed(id=part.segment.id, dead=tuple(part.dead.nonzero()[0].tolist())) for part in parts
    ]
    files = {
        f"{part.segment.id}.{name}": file
        for part in parts
        for name, file in part.segment.files.items()
    }
    generation = publish(index, files, to_json(facts, names))
    on_progress("writing", 1, 1)
    return generation


def _facts(corpus: Path, encoder: Encoder, found: Scan, parts: Sequence[Part]) -> Facts:
    days = [day for part in parts for day in _days(part)]
    return Facts(
        model=encoder.model,
        fingerprint=encoder.fingerprint,
        content=content_of(found.digests, fingerprint=encoder.fingerprint, form=FORMAT),
        corpus=str(corpus.resolve()),
        width=parts[0].segment.facts.width,
        articles=len(found.digests),
        sentences=sum(_living(part, SENTENCES) for part in parts),
        passages=sum(_living(part, PASSAGES) for part in parts),
        earliest=min(days, default=None),
        latest=max(days, default=None),
    )


def _days(part: Part) -> list[date]:
    """Give the first and the last day of the living articles that state one."""
    days = part.segment.begins[1:, PUBLISHED][~part.dead]
    dated = days[days > 0]
    return [date.fromordinal(int(day)) for day in (dated.min(), dated.max())] if len(dated) else []
