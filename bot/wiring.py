"""The composition root: Settings → Desk. The only place that chooses implementations."""

import time
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime
from pathlib import Path

from bot.config import NO_RERANKER, Settings
from bot.desk import Desk
from retrieval import (
    Engine,
    IndexMissing,
    Library,
    LocalEngine,
    Memory,
    Progress,
    Reading,
    Report,
    Reranker,
    Upload,
    build,
    current,
    current_facts,
    is_settled,
    load_encoder,
    load_reranker,
    open_milvus,
    read_corpus,
    upload,
    warm,
)

clock = time.perf_counter


def today() -> date:
    """Give the day it is where the user is."""
    return datetime.fromtimestamp(time.time(), tz=UTC).astimezone().date()


class Indexer:
    """Indexes the corpus, again and again: what was read, hashed and loaded once stays at hand.

    Attributes:
        settings: What is indexed, and where.
    """

    def __init__(self, settings: Settings, *, cluster: str | None = None) -> None:
        self.settings = settings
        self._cluster = cluster
        self._encoder = load_encoder(settings.model)
        self._memory = Memory()

    def warm(self) -> None:
        """Load what a new article needs now, so that the first one does not wait for it.

        Raises:
            ModelError: it can not be loaded.
        """
        warm(self._encoder)

    def is_settled(self, path: str) -> bool:
        """Tell whether a file of the corpus can be read now, without waiting for who writes it."""
        return is_settled(
            self.settings.corpus, path, limit_bytes=self.settings.max_file_bytes, clock=time.time
        )

    def index(self, *, on_progress: Progress, changed: Collection[str] | None = None) -> Report:
        """Index what changed.

        Args:
            changed: The only paths where something did, since the last time; None if any may have.

        Raises:
            ClippingsError: the corpus, the model, the index or the cluster can not be used; nothing
                was published.
        """
        return build(
            self.settings.corpus,
            self.settings.index,
            self._encoder,
            limit_bytes=self.settings.max_file_bytes,
            clock=time.time,
            wait=time.sleep,
            on_progress=on_progress,
            memory=self._memory,
            changed=changed,
            cluster=self._cluster,
        )


def build_index(settings: Settings, *, on_progress: Progress) -> Report:
    """Index the corpus once, re-using what the previous generation has.

    Raises:
        ClippingsError: as `Indexer.index`.
    """
    return Indexer(settings).index(on_progress=on_progress)


def upload_index(settings: Settings, *, on_progress: Progress) -> Upload | None:
    """Bring the index to the engine that searches; None where that is the index itself.

    Raises:
        ClippingsError: the engine or the index can not be used; the old generation is searched.
    """
    if settings.engine is None:
        return None
    return upload(settings.index, settings.engine, on_progress=on_progress)


def open_engine(settings: Settings, library: Library) -> Engine:
    """Open what searches a library.

    Raises:
        EngineFault: it is away, or does not hold the library's generation.
    """
    if settings.engine is None:
        return LocalEngine(library)
    return open_milvus(library, settings.index, settings.engine)


def open_desk(settings: Settings, *, on_progress: Progress, say: Callable[[str], None]) -> Desk:
    """Open the index for questions; build it first where there is none, or of another folder.

    An index of another folder is one only where the user named a folder: then nothing else may
    answer. What both folders have in common is not computed again.

    Raises:
        ClippingsError: the index or the model can not be used, or there is nothing to index.
    """
    if not _is_indexed(settings.index):
        build_index(settings, on_progress=on_progress)
        upload_index(settings, on_progress=on_progress)
    encoder = load_encoder(settings.model)

    def new_desk() -> Desk:
        return Desk(
            index=settings.index,
            encoder=encoder,
            open_engine=lambda library: open_engine(settings, library),
            open_reranker=lambda: open_reranker(settings),
            clock=clock,
        )

    desk = new_desk()
    if settings.names_corpus and settings.corpus.resolve() != desk.corpus:
        desk.close()
        say(f"{settings.index} was of {desk.corpus}; indexing {settings.corpus}")
        build_index(settings, on_progress=on_progress)
        upload_index(settings, on_progress=on_progress)
        desk = new_desk()
    return desk


def open_reranker(settings: Settings) -> Reranker | None:
    """Load what reads the best passages again; None where the user does without.

    Raises:
        ModelError: it can not be loaded.
    """
    return None if settings.reranker == NO_RERANKER else load_reranker(settings.reranker)


def with_known_corpus(settings: Settings) -> Settings:
    """Fall back on the folder that was indexed if the default one is not there."""
    if settings.names_corpus or settings.corpus.is_dir() or not _is_indexed(settings.index):
        return settings
    return settings.model_copy(update={"corpus": Path(current_facts(settings.index).corpus)})


def read_articles(settings: Settings) -> Reading:
    """Read the corpus as it is now.

    Raises:
        CorpusError: the folder is missing or nothing in it can be read.
    """
    return read_corpus(
        settings.corpus,
        limit_bytes=settings.max_file_bytes,
        clock=time.time,
        wait=time.sleep,
        on_file=lambda _done, _total: None,
    )


def _is_indexed(index: Path) -> bool:
    try:
        current(index)
    except IndexMissing:
        return False
    return True
