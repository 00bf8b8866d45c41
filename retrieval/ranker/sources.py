"""The public data sets, read into groups; README.md says where each file comes from.

Sentences are found by `retrieval.segmentation` and wrong sentences by `retrieval.lexical`, as the
questions of users are answered.
"""

from __future__ import annotations

import csv
import itertools
import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NotRequired, TypedDict

from retrieval.lexical import LexicalIndex
from retrieval.postings import build_postings, read_postings
from retrieval.ranker.groups import SELQA, TRECQA, Group
from retrieval.ranker.naming import names_and_numbers
from retrieval.ranker.synthetic import news_groups
from retrieval.segmentation import tiles
from retrieval.words import stems

SQUAD_NEGATIVES = 12  # wrong sentences taken from the whole article
PAIR_NEGATIVES = 10
QED_NEGATIVES = 5
FOREIGN = 40  # names and numbers kept for one question
NQG_PAIRS = 6000

# Small sources of news, of real queries and of questions without an answer are repeated.
IMPOSSIBLE_AGAIN = 2
SELQA_TIMES = 2
TRECQA_TIMES = 12
QED_TIMES = 2

_LINE_BREAK = re.compile(r"[\n\r\x0b\x0c\x85\u2028\u2029]")


class SquadAnswer(TypedDict):
    """An answer, where it stands in the paragraph."""

    text: str
    answer_start: int


class SquadQuestion(TypedDict):
    """A question on a paragraph; an impossible one may have answers that only look right."""

    id: str
    question: str
    answers: NotRequired[list[SquadAnswer]]
    is_impossible: NotRequired[bool]


class SquadParagraph(TypedDict):
    """A paragraph and the questions on it."""

    context: str
    qas: list[SquadQuestion]


class SquadArticle(TypedDict):
    """The paragraphs of one article."""

    paragraphs: list[SquadParagraph]


def load_groups(data: Path, *, synthetic: int, seed: int) -> list[Group]:
    """Give every training group, source after source.

    Args:
        data: The folder laid out as in README.md.
        synthetic: Number of made-up groups.
        seed: Of what is made up and of the choice from nqg.
    """
    squad2 = read_squad(data / "squad2_part" / "train.json", source="squad2")
    impossible = [group for group in squad2 if not group.right]
    nqg = read_nqg(data / "nqg")
    selqa = read_selqa(data / SELQA)
    return [
        *squad2,
        *impossible * IMPOSSIBLE_AGAIN,
        *read_squad(data / "shifts" / "new_wiki.json", source="squadshifts-wiki"),
        *random.Random(seed).sample(nqg, min(NQG_PAIRS, len(nqg))),
        *read_reqa(data / "kou" / "train.json"),
        *selqa * SELQA_TIMES,
        *read_trecqa(data / TRECQA / "train.csv") * TRECQA_TIMES,
        *read_qed(data / "qed" / "dev.jsonl") * QED_TIMES,
        *news_groups(synthetic, seed=seed),
    ]


def read_squad(path: Path, *, source: str) -> list[Group]:
    """Read a file of SQuAD's form; an impossible question has its paragraph as wrong sentences.

    A question whose answer runs over two sentences is left out.
    """
    articles: list[SquadArticle] = json.loads(path.read_text("utf-8"))["data"]
    return [group for article in articles for group in _squad_groups(article, source)]


def read_nqg(folder: Path) -> list[Group]:
    """Read SQuAD 1.1 pairs in lower case, cut as the Penn Treebank is: src answers, tgt asks."""
    answers = (folder / "src.txt").read_text("utf-8").split("\n")
    questions = (folder / "tgt.txt").read_text("utf-8").split("\n")
    rows = [
        (question.strip(), answer.strip())
        for question, answer in zip(questions, answers, strict=True)
        if question.strip() and answer.strip()
    ]
    return _paired([question for question, _ in rows], [answer for _, answer in rows], "squad1-nqg")


def read_reqa(path: Path) -> list[Group]:
    """Read SQuAD 1.1 pairs of a question and a sentence in running text."""
    data: dict[str, list[str]] = json.loads(path.read_text("utf-8"))
    return _paired(data["questions"], data["answers"], "squad1-reqa")


def read_selqa(folder: Path) -> list[Group]:
    """Read the sentences of Wikipedia sections, those that answer marked, of all its files."""
    groups = []
    files = (json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json")))
    for row in itertools.chain.from_iterable(files):
        texts: list[str] = row["candidates"]
        right = tuple(texts[i] for i in row["answers"])
        wrong = tuple(text for i, text in enumerate(texts) if i not in row["answers"])
        foreign = tuple(names_and_numbers(" ".join(wrong)))
        groups.append(
            Group(question=row["question"], right=right, wrong=wrong, source=SELQA, foreign=foreign)
        )
    return groups


def read_trecqa(path: Path) -> list[Group]:
    """Read newswire sentences labelled by hand; a question without a wrong one is left out."""
    by_question: dict[str, tuple[list[str], list[str]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            right, wrong = by_question.setdefault(row["qtext"], ([], []))
            (right if row["label"] == "1" else wrong).append(row["atext"])
    return [
        Group(question=question, right=tuple(right), wrong=tuple(wrong), source=TRECQA)
        for question, (right, wrong) in by_question.items()
        if wrong
    ]


def read_qed(path: Path) -> list[Group]:
    """Read real queries (Natural Questions) with the one sentence that annotators chose."""
    groups = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["annotation"]["explanation_type"] != "single_sentence":
            continue
        chosen = row["annotation"]["selected_sentence"]["string"].strip()
        answers = [a["string"].lower() for spans in row["original_nq_answers"] for a in spans]
        text: str = row["paragraph_text"]
        bounds = itertools.pairwise([*row["sentence_starts"], len(text)])
        part = [text[start:end].strip() for start, end in bounds]
        wrong = [s for s in part if s and s != chosen and not _holds_any(s, answers)]
        groups.append(
            Group(
                question=row["question_text"],
                right=(chosen,),
                wrong=(row["title_text"], *wrong),
                source="qed-nq",
            )
        )
    pool = [sentence for group in groups for sentence in group.right]
    best = best_matches(pool, [group.question for group in groups], QED_NEGATIVES)
    return [
        replace(group, wrong=(*group.wrong, *(text for text in found if text not in group.right)))
        for group, found in zip(groups, best, strict=True)
    ]


def _squad_groups(article: SquadArticle, source: str) -> list[Group]:
    paragraphs = [(p, _sentences(p["context"])) for p in article["paragraphs"]]
    pool = list(dict.fromkeys(text for _, part in paragraphs for _, _, text in part))
    foreign = names_and_numbers(" ".join(p["context"] for p, _ in paragraphs))
    asked = [(question, part) for p, part in paragraphs for question in p["qas"]]
    best = best_matches(pool, [question["question"] for question, _ in asked], SQUAD_NEGATIVES)
    groups = []
    for (question, part), found in zip(asked, best, strict=True):
        answers = question.get("answers", [])
        right: tuple[str, ...] = ()
        if answers and not question.get("is_impossible"):
            right = _covering(part, answers[0])
            if len(right) != 1:
                continue
        texts = [answer["text"].lower() for answer in answers]
        mixed = dict.fromkeys(_alternate([text for _, _, text in part], found))
        sample = random.Random(question["id"]).sample(foreign, min(FOREIGN, len(foreign)))
        groups.append(
            Group(
                question=question["question"].strip(),
                right=right,
                wrong=tuple(s for s in mixed if s not in right and not _holds_any(s, texts)),
                source=source,
                answer=answers[0]["text"] if right else "",
                foreign=tuple(sample),
            )
        )
    return groups


def _paired(questions: Sequence[str], answers: Sequence[str], source: str) -> list[Group]:
    """Give groups of question and right sentence, with wrong ones from all other pairs."""
    pool = list(dict.fromkeys(answers))
    foreign = names_and_numbers(" ".join(pool[::7]))  # of every seventh: far more than are used
    rng = random.Random(source)
    best = best_matches(pool, questions, PAIR_NEGATIVES)
    return [
        Group(
            question=question,
            right=(answer,),
            wrong=tuple(text for text in found if text != answer),
            source=source,
            foreign=tuple(rng.sample(foreign, min(FOREIGN, len(foreign)))),
        )
        for question, answer, found in zip(questions, answers, best, strict=True)
    ]


def _sentences(text: str) -> list[tuple[int, int, str]]:
    """Give start, end and words of each sentence.

    A line break counts as a space: it ends no paragraph in these data sets, where half of them
    stand inside a sentence.
    """
    spans = tiles(_LINE_BREAK.sub(" ", text))
    parts = [(span.start, span.end, text[span.start : span.end].strip()) for span in spans]
    return [part for part in parts if part[2]]


def _covering(part: Sequence[tuple[int, int, str]], answer: SquadAnswer) -> tuple[str, ...]:
    """Give the sentences that an answer stands in."""
    begin = answer["answer_start"]
    stop = begin + len(answer["text"])
    return tuple(text for start, end, text in part if start < stop and end > begin)


def _holds_any(sentence: str, answers: Sequence[str]) -> bool:
    return any(answer in sentence.lower() for answer in answers)


def _alternate(first: Sequence[str], second: Sequence[str]) -> list[str]:
    """Give one of the first, one of the second, and so on; what is left of the longer one last."""
    pairs = itertools.zip_longest(first, second)
    return [text for pair in pairs for text in pair if text is not None]


def best_matches(pool: Sequence[str], questions: Sequence[str], top: int) -> list[list[str]]:
    """Give the sentences of a pool that are nearest to each question by BM25, best first.

    Where too few have a word of the question, the first of the others come after them.
    """
    import numpy as np

    data = np.frombuffer(build_postings(pool, cut=stems), dtype=np.uint8)
    postings = read_postings(data, size=len(pool), name="the pool")
    index = LexicalIndex([(postings, np.arange(len(pool)))], size=len(pool))
    found = []
    for question in questions:
        best = [row for row, _ in index.best(stems(question), k=top)]
        others = (row for row in range(len(pool)) if row not in best)
        found.append([pool[row] for row in itertools.islice(itertools.chain(best, others), top)])
    return found
