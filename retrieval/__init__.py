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
from retrieval.encoding import Way, way_of
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
from retrieval.evaluation import (
    DEPTH,
    Comparison,
    Evaluation,
    Figure,
    RankingQuestion,
    compare,
    evaluate,
    evaluate_ranking,
    hit_curve,
)
from retrieval.fitting import (
    Example,
    Fit,
    Remembering,
    Score,
    best_threshold,
    cross_validate,
    example_of,
    fit,
)
from retrieval.generations import current
from retrieval.indexing import Progress, Report, build
from retrieval.judging import (
    SHOWN,
    Given,
    Gold,
    GoldQuestion,
    Judged,
    given_of,
    unknown_golds,
)
from retrieval.library import Facts, Library, open_library
from retrieval.measures import Bin
from retrieval.modelfiles import DEFAULT_MODEL
from retrieval.quoting import Claim, find_quote, verify
from retrieval.reranking import OWN, Reranker, load_reranker

__all__ = [
    "DEFAULT_LIMIT_BYTES",
    "DEFAULT_MODEL",
    "DEPTH",
    "OWN",
    "SHOWN",
    "Abstention",
    "Answer",
    "Article",
    "Bin",
    "Claim",
    "ClippingsError",
    "Comparison",
    "Conflict",
    "CorpusError",
    "Encoder",
    "Evaluation",
    "Example",
    "Facts",
    "Figure",
    "Finding",
    "Fit",
    "Given",
    "Gold",
    "GoldQuestion",
    "Help",
    "IndexBusy",
    "IndexDamaged",
    "IndexFault",
    "IndexMismatch",
    "IndexMissing",
    "IndexUnwritable",
    "Judged",
    "Library",
    "ModelError",
    "Progress",
    "Question",
    "QuestionError",
    "Quote",
    "RankingQuestion",
    "Reading",
    "Reason",
    "Remembering",
    "Reply",
    "Report",
    "Reranker",
    "Resolved",
    "Score",
    "Skipped",
    "Span",
    "Speaker",
    "Way",
    "answer",
    "best_threshold",
    "build",
    "compare",
    "cross_validate",
    "current",
    "evaluate",
    "evaluate_ranking",
    "example_of",
    "find_quote",
    "fit",
    "given_of",
    "hit_curve",
    "load_encoder",
    "load_reranker",
    "open_library",
    "read_article",
    "read_corpus",
    "unknown_golds",
    "verify",
    "way_of",
]
