"""The front door: everything that may be used from outside stands here, and nothing else.

Importing it is cheap: faiss, torch and their like load inside the functions that need them.
"""

from retrieval.answering import answer
from retrieval.corpus import DEFAULT_LIMIT_BYTES, Reading, Skipped, read_article, read_corpus
from retrieval.datatypes import (
    Abstention,
    Answer,
    Article,
    Conflict,
    Finding,
    Help,
    Question,
    Quote,
    Reason,
    Reply,
    Resolved,
    Span,
    Speaker,
)
from retrieval.embedding import Encoder, load_encoder
from retrieval.errors import (
    ClippingsError,
    CorpusError,
    IndexBusy,
    IndexDamaged,
    IndexFault,
    IndexMismatch,
    IndexMissing,
    IndexUnwritable,
    ModelError,
    QuestionError,
)
from retrieval.generations import current
from retrieval.indexing import Progress, Report, build
from retrieval.library import Facts, Library, open_library
from retrieval.modelfiles import DEFAULT_MODEL
from retrieval.quoting import Claim, find_quote, verify

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "DEFAULT_MODEL",
    "Abstention",
    "Answer",
    "Article",
    "Claim",
    "ClippingsError",
    "Conflict",
    "CorpusError",
    "Encoder",
    "Facts",
    "Finding",
    "Help",
    "IndexBusy",
    "IndexDamaged",
    "IndexFault",
    "IndexMismatch",
    "IndexMissing",
    "IndexUnwritable",
    "Library",
    "ModelError",
    "Progress",
    "Question",
    "QuestionError",
    "Quote",
    "Reading",
    "Reason",
    "Reply",
    "Report",
    "Resolved",
    "Skipped",
    "Span",
    "Speaker",
    "answer",
    "build",
    "current",
    "find_quote",
    "load_encoder",
    "open_library",
    "read_article",
    "read_corpus",
    "verify",
]
