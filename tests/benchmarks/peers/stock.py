"""Stock sentence-transformers with an exact FAISS index, in f32 as it comes and in bf16."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from tests.benchmarks.peers.archive import LIMIT, Archive, Build, Engine, Found, Search

PACKAGES = ("sentence-transformers", "transformers", "torch", "faiss-cpu")


def load(model: Path) -> Build:
    return _load(model, "float32")


def load_bf16(model: Path) -> Build:
    return _load(model, "bfloat16")


def _load(model: Path, numbers: Literal["float32", "bfloat16"]) -> Build:
    import faiss
    from sentence_transformers import SentenceTransformer

    encoder = SentenceTransformer(
        str(model), device="cpu", local_files_only=True, model_kwargs={"dtype": numbers}
    )
    encoder.encode(["warm"])

    def build(archive: Archive, folder: Path) -> Search:
        vectors = encoder.encode(
            list(archive.texts), batch_size=32, normalize_embeddings=True, show_progress_bar=False
        )
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        faiss.write_index(index, str(folder / "index.faiss"))

        def search(question: str) -> Found:
            vector = encoder.encode([question], normalize_embeddings=True, show_progress_bar=False)
            _, rows = index.search(vector, min(LIMIT, index.ntotal))
            return Found(places=[archive.places[row] for row in rows[0]])

        return search

    return build


ENGINE = Engine(
    load=load,
    settings="encode(batch_size=32, normalize_embeddings=True) (sorted by length by the library), "
    "f32, IndexFlatIP",
    packages=PACKAGES,
)
ENGINE_BF16 = Engine(
    load=load_bf16,
    settings='as above with model_kwargs={"dtype": "bfloat16"}',
    packages=PACKAGES,
)
