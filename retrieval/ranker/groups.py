"""What the ranker learns from: a question among right and wrong sentences."""

from dataclasses import dataclass

SYNTHETIC = "synthetic"
SELQA = "selqa"
TRECQA = "trecqa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One question with right sentences, perhaps none, and wrong ones.

    Attributes:
        wrong: The hardest to tell from a right one first, where the source has an order.
        source: The data set, as it is counted in the recipe.
        answer: The words asked for, as a right sentence has them; empty if not known.
        foreign: Names and numbers of the same article, to falsify a question with.
    """

    question: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    source: str
    answer: str = ""
    foreign: tuple[str, ...] = ()
