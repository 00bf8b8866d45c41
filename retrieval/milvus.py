"""Milvus: the only module that knows pymilvus, and the engine that searches there.

What is measured of it stands in ARCHITECTURE.md. A collection is written once, by one writer, and
read under its own name; questions read at consistency `Bounded`, because `Strong` waits for a tick
of the cluster's clock (200 ms), and counts that decide something read at `Strong`.
No text leaves this machine: vectors, and numbers that stand for words, do.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, TypeAlias
from urllib.parse import urlsplit

from retrieval.engines import Nominees
from retrieval.errors import EngineAway
from retrieval.sparse import sparse_question

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pymilvus import MilvusClient

Row: TypeAlias = "Mapping[str, int | Mapping[int, float] | NDArray[np.float32]]"
_Asked: TypeAlias = "Sequence[float] | Mapping[int, float]"
Consistency = Literal["Bounded", "Strong"]

PORT = 19530
# The fields of a collection.
KEY, WORDS = "row", "words"
SENTENCE, PASSAGE = "sentence", "passage"
# Up to here vectors are searched exactly, some 12 ms on one core; an HNSW graph is quicker beyond
# (recall@10 .9997 at 200,000 rows), and what is never edited can have one.
EXACT_UP_TO = 200_000
_GRAPH = {"M": 32, "efConstruction": 200}
_BREADTH = {"ef": 256}

_CONNECT_S = 5.0
_ASK_S = 5.0  # pymilvus tries again as long
_WRITE_S = 120.0
_ARMS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class MilvusServer:
    """Where Milvus is, and as whom to speak to it.

    Attributes:
        database: "" is the default one.
        token: «user:password» or an API key; "" where none is asked for.
        certificate: The server's own, or its authority's, in a PEM file; None: the system's.
    """

    host: str
    port: int
    database: str
    is_encrypted: bool
    token: str = field(default="", repr=False)
    certificate: Path | None = None

    def __str__(self) -> str:
        scheme = "milvus+tls" if self.is_encrypted else "milvus"
        return f"{scheme}://{self.address}" + (f"/{self.database}" if self.database else "")

    @property
    def address(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """A collection, and how many rows it has when it is whole."""

    name: str
    size: int


def read_url(url: str) -> MilvusServer:
    """Read milvus://HOST[:PORT][/DATABASE], or milvus+tls:// where the connection is encrypted.

    Raises:
        ValueError: It is none; the message does not repeat it, for it may hold a password.
    """
    wrong = ValueError(
        "it is none of milvus://HOST:PORT, milvus://HOST:PORT/DATABASE, milvus+tls://..."
    )
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
    except ValueError:  # its message would repeat the address
        raise wrong from None
    if parts.username is not None:
        raise ValueError("user and password belong into INDEX_TOKEN, as user:password")
    database = parts.path.strip("/")
    is_known = parts.scheme in {"milvus", "milvus+tls"} and not parts.query and not parts.fragment
    if not is_known or not parts.hostname or (database and not database.isidentifier()):
        raise wrong
    return MilvusServer(
        host=parts.hostname,
        port=port,
        database=database,
        is_encrypted=parts.scheme == "milvus+tls",
    )


class Milvus:
    """A connection; may be used from several threads.

    Raises (from each method):
        EngineAway: the server does not answer, or refuses.
    """

    def __init__(self, server: MilvusServer) -> None:
        self.server = server
        client = _client()
        with self._asking():
            self._client = client(
                uri=f"{'https' if server.is_encrypted else 'http'}://{server.address}",
                token=server.token,
                db_name=server.database,
                timeout=_CONNECT_S,
                secure=server.is_encrypted,
                server_pem_path=str(server.certificate or ""),
                # Connections are shared by address otherwise, an open one with an encrypted one.
                dedicated=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._client.close()

    def version(self) -> str:
        with self._asking():
            return str(self._client.get_server_version(timeout=_ASK_S))

    def names(self) -> tuple[str, ...]:
        """Give the names of all collections."""
        with self._asking():
            return tuple(self._client.list_collections(timeout=_ASK_S))

    def prepare(
        self,
        collection: Collection,
        *,
        numbers: Sequence[str],
        vectors: Sequence[str],
        width: int,
    ) -> bool:
        """Make a collection ready to be written and searched.

        Args:
            numbers, vectors: The names of its fields, beside `KEY` and `WORDS`.

        Returns:
            Whether it was made now; otherwise it may hold rows already.
        """
        name = collection.name
        with self._asking():
            is_new = not self._client.has_collection(name, timeout=_ASK_S)
            if is_new:
                self._make(name, numbers, vectors, width)
            self._index(collection, vectors)
            self._client.load_collection(name, timeout=_WRITE_S)
        return is_new

    def write(self, name: str, rows: Sequence[Row]) -> None:
        """Write rows; one that is there already is replaced, so that writing twice is once."""
        with self._asking():
            self._client.upsert(name, [dict(row) for row in rows], timeout=_WRITE_S)

    def settle(self, name: str) -> None:
        """Let what was written reach the server's disk, and be indexed."""
        with self._asking():
            self._client.flush(name, timeout=_WRITE_S)

    def count(self, name: str, *, rows: range | None = None, consistency: Consistency) -> int:
        """Count the rows of a collection, or those of a range of keys."""
        condition = "" if rows is None else f"{KEY} >= {rows.start} and {KEY} < {rows.stop}"
        with self._asking():
            (found,) = self._client.query(
                name,
                filter=condition,
                output_fields=["count(*)"],
                consistency_level=consistency,
                timeout=_WRITE_S,
            )
        return int(found["count(*)"])

    def is_named(self, name: str, alias: str) -> bool:
        """Tell whether an alias stands for a collection."""
        with self._asking():
            if not self._client.has_collection(name, timeout=_ASK_S):
                return False
            return alias in self._client.list_aliases(name, timeout=_ASK_S)["aliases"]

    def point(self, alias: str, name: str) -> None:
        """Let an alias stand for a collection, from now on for this one alone."""
        with self._asking():
            if alias in self._client.list_aliases(timeout=_ASK_S)["aliases"]:
                self._client.alter_alias(name, alias, timeout=_ASK_S)
            else:
                self._client.create_alias(name, alias, timeout=_ASK_S)

    def drop(self, name: str) -> None:
        with self._asking():
            self._client.drop_collection(name, timeout=_WRITE_S)

    def wake(self, name: str) -> None:
        """Let the server load a collection that it holds on its disk alone."""
        with self._asking():
            state = self._client.get_load_state(name, timeout=_ASK_S)["state"]
            if state.name != "Loaded":
                self._client.load_collection(name, timeout=_WRITE_S)

    def search(self, collection: Collection, field: str, asked: _Asked, k: int) -> tuple[int, ...]:
        """Give the keys of the `k` rows with the highest inner products, best first."""
        if not asked:
            return ()
        with self._asking():
            (found,) = self._client.search(
                collection.name,
                data=[asked],
                anns_field=field,
                limit=k,
                search_params={
                    "metric_type": "IP",
                    "params": dict(_BREADTH) if collection.size > EXACT_UP_TO else {},
                },
                consistency_level="Bounded",
                timeout=_ASK_S,
            )
        # The sign of distances differs between servers; the order of rows does not.
        return tuple(int(hit.id) for hit in found)

    def _make(self, name: str, numbers: Sequence[str], vectors: Sequence[str], width: int) -> None:
        from pymilvus import DataType

        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field(KEY, DataType.INT64, is_primary=True)
        schema.add_field(WORDS, DataType.SPARSE_FLOAT_VECTOR)
        for each in numbers:
            schema.add_field(each, DataType.INT64)
        for each in vectors:
            schema.add_field(each, DataType.FLOAT_VECTOR, dim=width)
        self._client.create_collection(
            name, schema=schema, consistency_level="Bounded", timeout=_WRITE_S
        )

    def _index(self, collection: Collection, vectors: Sequence[str]) -> None:
        kinds = dict.fromkeys(vectors, _index_of(collection.size))
        kinds[WORDS] = {"index_type": "SPARSE_INVERTED_INDEX"}
        wanted = self._client.prepare_index_params()
        present = self._client.list_indexes(collection.name)
        for name, kind in kinds.items():
            if name not in present:
                wanted.add_index(name, index_name=name, metric_type="IP", **kind)
        if len(wanted):
            # Not waited for: what has no index yet is searched without.
            self._client.create_index(collection.name, wanted, timeout=_WRITE_S, sync=False)

    @contextmanager
    def _asking(self) -> Iterator[None]:
        import grpc
        from pymilvus import MilvusException

        try:
            yield
        except (MilvusException, grpc.RpcError, OSError) as error:
            raise EngineAway(
                f"Milvus at {self.server} does not do what it is asked: {_told(error)}. Start it, "
                "or correct INDEX_URL and INDEX_TOKEN; without INDEX_URL the index on this machine "
                "is searched"
            ) from error


class MilvusEngine:
    """Searches the two collections of a generation, with all four arms at once."""

    def __init__(self, milvus: Milvus, *, sentences: Collection, passages: Collection) -> None:
        self._milvus = milvus
        self._sentences = sentences
        self._passages = passages
        self._threads = ThreadPoolExecutor(_ARMS, thread_name_prefix="milvus")

    def nominate(
        self, stems: Sequence[str], vector: NDArray[np.float32], *, sentences: int, passages: int
    ) -> Nominees:
        words, near = sparse_question(stems), vector.tolist()
        arms: tuple[tuple[Collection, str, _Asked, int], ...] = (
            (self._sentences, WORDS, words, sentences),
            (self._sentences, SENTENCE, near, sentences),
            (self._passages, WORDS, words, passages),
            (self._passages, PASSAGE, near, passages),
        )
        found = [self._threads.submit(self._milvus.search, *arm) for arm in arms]
        by_words, by_sentence, passages_by_words, by_passage = (each.result() for each in found)
        return Nominees(
            sentence_words=by_words,
            sentence_vector=by_sentence,
            passage_words=passages_by_words,
            passage_vector=by_passage,
        )

    def close(self) -> None:
        self._threads.shutdown()
        self._milvus.close()


def _told(error: Exception) -> str:
    """Give what a server or gRPC says, in one line."""
    details = getattr(error, "details", None)
    told = getattr(error, "message", "") or (details() if callable(details) else str(error))
    return " ".join(str(told or type(error).__name__).split())[:300]


def _index_of(size: int) -> dict[str, object]:
    if size <= EXACT_UP_TO:
        return {"index_type": "FLAT"}
    return {"index_type": "HNSW", "params": dict(_GRAPH)}


@cache
def _client() -> type[MilvusClient]:
    """Import pymilvus: quiet, and without what it does to the environment."""
    try:
        import dotenv

        # It would put all of a `.env` that it finds above its own files, secrets too, into the
        # environment of this process and of those it starts.
        load, dotenv.load_dotenv = dotenv.load_dotenv, lambda *_args, **_named: False
        try:
            from pymilvus import MilvusClient
        finally:
            dotenv.load_dotenv = load
    except ImportError as cause:
        raise EngineAway(
            "INDEX_URL names a Milvus, but pymilvus is not installed. Install it: "
            "pip install '.[milvus]'"
        ) from cause
    for name in ("pymilvus", "pymilvus.milvus_client"):  # it logs each error, with its request
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    found: type[MilvusClient] = MilvusClient
    return found
