"""The engines by name, in the order of the table. Importing them loads nothing heavy."""

from __future__ import annotations

import importlib

from tests.benchmarks.peers.archive import Engine

CLIPPINGS = "Clippings"
WITHOUT_RANKER = "Clippings, ranker off"
OWN = (CLIPPINGS, WITHOUT_RANKER)

_MODULES = {
    CLIPPINGS: ("clippings", "ENGINE"),
    WITHOUT_RANKER: ("clippings", "ENGINE_WITHOUT_RANKER"),
    "sentence-transformers + FAISS": ("stock", "ENGINE"),
    "the same in bf16": ("stock", "ENGINE_BF16"),
    "txtai": ("txtai_hybrid", "ENGINE"),
    "LlamaIndex": ("llamaindex_fusion", "ENGINE"),
    "Haystack": ("haystack_hybrid", "ENGINE"),
}
NAMES = tuple(_MODULES)


def engine_of(name: str) -> Engine:
    """Give an engine; only the module of that one is imported."""
    module, attribute = _MODULES[name]
    engine = getattr(importlib.import_module(f"tests.benchmarks.peers.{module}"), attribute)
    if not isinstance(engine, Engine):
        raise TypeError(f"not an engine: {name}")
    return engine
