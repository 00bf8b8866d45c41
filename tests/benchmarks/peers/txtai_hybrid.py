"""The hybrid search of txtai: dense vectors in FAISS and its own BM25, scores combined."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.peers.archive import LIMIT, Archive, Build, Engine, Found, Search


def load(model: Path) -> Build:
    from txtai import Embeddings

    embeddings = Embeddings(
        {
            "path": str(model),
            "method": "sentence-transformers",
            "hybrid": True,
            "encodebatch": 32,
            "gpu": False,
        }
    )
    embeddings.transform("warm")

    def build(archive: Archive, folder: Path) -> Search:
        embeddings.index(list(archive.texts))
        embeddings.save(str(folder))

        def search(question: str) -> Found:
            rows = embeddings.search(question, LIMIT)
            return Found(places=[archive.places[row] for row, _ in rows])

        return search

    return build


ENGINE = Engine(
    load=load,
    settings="hybrid=True (dense + BM25, weights 0.5 each), method sentence-transformers, "
    "encodebatch 32, backend faiss (exact up to 5,000 passages, then its own choice of IVF), "
    "no content database: row numbers come back, as is fastest",
    packages=("txtai", "sentence-transformers", "transformers", "torch", "faiss-cpu"),
)
