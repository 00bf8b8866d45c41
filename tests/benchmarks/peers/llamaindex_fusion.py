"""LlamaIndex: its BM25 retriever and a FAISS vector store, fused by its QueryFusionRetriever."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.peers.archive import LIMIT, Archive, Build, Engine, Found, Search

CANDIDATES = 10  # of each retriever, before they are fused


def load(model: Path) -> Build:
    import faiss
    from llama_index.core import StorageContext, VectorStoreIndex
    from llama_index.core.llms import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.schema import TextNode
    from llama_index.embeddings.huggingface import HuggingFaceEmbedding
    from llama_index.retrievers.bm25 import BM25Retriever
    from llama_index.vector_stores.faiss import FaissVectorStore

    encoder = HuggingFaceEmbedding(model_name=str(model), device="cpu", embed_batch_size=32)
    width = len(encoder.get_text_embedding("warm"))

    def build(archive: Archive, folder: Path) -> Search:
        nodes = [TextNode(id_=str(row), text=text) for row, text in enumerate(archive.texts)]
        store = FaissVectorStore(faiss_index=faiss.IndexFlatIP(width))
        index = VectorStoreIndex(
            nodes,
            storage_context=StorageContext.from_defaults(vector_store=store),
            embed_model=encoder,
        )
        few = min(CANDIDATES, len(nodes))
        words = BM25Retriever.from_defaults(nodes=nodes, similarity_top_k=few)
        index.storage_context.persist(persist_dir=str(folder))
        words.persist(str(folder / "bm25"))
        fused = QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=few), words],
            llm=MockLLM(),
            num_queries=1,
            mode="reciprocal_rerank",
            similarity_top_k=LIMIT,
            use_async=False,
        )

        def search(question: str) -> Found:
            return Found(
                places=[archive.places[int(hit.node.node_id)] for hit in fused.retrieve(question)]
            )

        return search

    return build


ENGINE = Engine(
    load=load,
    settings="QueryFusionRetriever(reciprocal_rerank, num_queries=1: no language model) over "
    "VectorStoreIndex on FaissVectorStore(IndexFlatIP) and BM25Retriever (bm25s, Snowball), "
    f"{CANDIDATES} candidates each; HuggingFaceEmbedding(embed_batch_size=32)",
    packages=(
        "llama-index-core",
        "llama-index-retrievers-bm25",
        "llama-index-vector-stores-faiss",
        "llama-index-embeddings-huggingface",
        "sentence-transformers",
        "transformers",
        "torch",
        "faiss-cpu",
        "bm25s",
    ),
)
