"""Haystack: in-memory documents, its BM25 and embedding retrievers, their lists joined."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.peers.archive import LIMIT, Archive, Build, Engine, Found, Search

CANDIDATES = 10  # of each retriever, before they are joined


def load(model: Path) -> Build:
    from haystack import Document, Pipeline
    from haystack.components.joiners import DocumentJoiner
    from haystack.components.retrievers.in_memory import (
        InMemoryBM25Retriever,
        InMemoryEmbeddingRetriever,
    )
    from haystack.document_stores.in_memory import InMemoryDocumentStore
    from haystack.utils import ComponentDevice
    from haystack_integrations.components.embedders.sentence_transformers import (
        SentenceTransformersDocumentEmbedder,
        SentenceTransformersTextEmbedder,
    )

    cpu = ComponentDevice.from_str("cpu")
    embedder = SentenceTransformersDocumentEmbedder(
        model=str(model), device=cpu, normalize_embeddings=True, progress_bar=False
    )
    asker = SentenceTransformersTextEmbedder(
        model=str(model), device=cpu, normalize_embeddings=True, progress_bar=False
    )
    embedder.warm_up()
    asker.warm_up()
    asker.run("warm")

    def build(archive: Archive, folder: Path) -> Search:
        store = InMemoryDocumentStore(embedding_similarity_function="dot_product")
        documents = [Document(id=str(row), content=text) for row, text in enumerate(archive.texts)]
        store.write_documents(embedder.run(documents)["documents"])
        store.save_to_disk(str(folder / "documents.json"))
        pipeline = Pipeline()
        pipeline.add_component("asker", asker)
        pipeline.add_component("vectors", InMemoryEmbeddingRetriever(store, top_k=CANDIDATES))
        pipeline.add_component("words", InMemoryBM25Retriever(store, top_k=CANDIDATES))
        pipeline.add_component(
            "joiner", DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=LIMIT)
        )
        pipeline.connect("asker.embedding", "vectors.query_embedding")
        pipeline.connect("vectors", "joiner")
        pipeline.connect("words", "joiner")

        def search(question: str) -> Found:
            done = pipeline.run({"asker": {"text": question}, "words": {"query": question}})
            return Found(
                places=[archive.places[int(each.id)] for each in done["joiner"]["documents"]]
            )

        return search

    return build


ENGINE = Engine(
    load=load,
    settings="InMemoryDocumentStore(dot_product), InMemoryBM25Retriever and "
    f"InMemoryEmbeddingRetriever(top_k={CANDIDATES}), DocumentJoiner(reciprocal_rank_fusion), "
    "embedders with batch_size 32",
    packages=("haystack-ai", "sentence-transformers-haystack", "sentence-transformers", "torch"),
)
