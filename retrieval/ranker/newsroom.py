"""Questions written for this ranker on news articles, read into groups.

Each file of `questions/` asks about some twenty articles: in other words than theirs, for roles,
with typos, as a claim, and close to an article that does not answer. A line names sentences that
answer by themselves, and sentences that only look like it, by article and number (from 1). Articles
lie beside the questions, already cut: of Wikinews (CC BY 2.5), paragraphs of Wikipedia (CC BY-SA
4.0), and invented ones. Those of Reuters-21578, which not everybody may pass on, are read from a
folder.

    python -m retrieval.ranker.newsroom QUESTIONS --reuters FOLDER --out SET
    clippings eval SET/questions.jsonl --corpus SET/corpus
"""

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from retrieval.ranker.groups import SELQA, TRECQA, Group
from retrieval.ranker.sources import (
    best_matches,
    read_qed,
    read_reqa,
    read_selqa,
    read_squad,
    read_trecqa,
)
from retrieval.segmentation import sentence_spans

QUESTIONS = Path(__file__).with_name("questions")
BETWEEN = "\n\n"  # sentences of a Wikinews article, when they are written as a text
NEWSROOM_TIMES = 2
TRECQA_TIMES = 6
NEGATIVES = 8  # wrong sentences by their words, behind those that are named


class Line(TypedDict):
    """A question, and the sentences that answer it or do not."""

    question: str
    right: list[tuple[str, int]]
    wrong: list[tuple[str, int]]


def main() -> None:
    """Read the command line, and write a file of questions as `clippings eval` takes them."""
    parser = argparse.ArgumentParser(prog="python -m retrieval.ranker.newsroom")
    parser.add_argument("questions", type=Path, help="a file of questions")
    parser.add_argument("--reuters", type=Path, required=True, help="articles of Reuters-21578")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    write_set(args.questions, args.reuters, args.out)


def read_newsroom(reuters: Path, questions: Path = QUESTIONS) -> list[Group]:
    """Read all questions, those of a file beside one another.

    Args:
        reuters: Holds `reut_NNNNN.txt`, the article of Reuters-21578 with that NEWID: its title, an
            empty line, and its body with folded line wraps.
    """
    cut = _read_cut(questions)
    return [
        group
        for path in sorted(questions.glob("*.jsonl"))
        for group in _groups(*_read(path, reuters, cut))
    ]


def write_set(path: Path, reuters: Path, out: Path, questions: Path = QUESTIONS) -> None:
    """Write a file's questions with their gold quotes, and its articles, into a folder.

    Args:
        reuters: As for `read_newsroom`.
        questions: The folder that holds the articles which are cut already.
    """
    lines, articles = _read(path, reuters, _read_cut(questions))
    (out / "corpus").mkdir(parents=True)
    texts = {f"{name}.txt": BETWEEN.join(sentences) for name, sentences in articles.items()}
    for name, text in texts.items():
        (out / "corpus" / name).write_bytes(text.encode())
    rows = [
        {
            "id": f"{path.stem}-{number}",
            "question": line["question"],
            "type": "answerable" if line["right"] else "near",
            "answerable": bool(line["right"]),
            "all_sources": sorted({f"{name}.txt" for name, _ in line["right"]}),
            "gold": [_gold(name, articles[name], at) for name, at in line["right"]],
        }
        for number, line in enumerate(lines, 1)
    ]
    written = "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)
    (out / "questions.jsonl").write_text(written, "utf-8")


def load_further_groups(data: Path, reuters: Path, *, seed: int) -> list[Group]:
    """Give the groups of a further training: these questions, and half as many public ones.

    Without the public ones the ranker forgets what it learned from them.

    Args:
        data: The public data, as for `load_groups`.
        seed: Of the choice from them.
    """
    own = read_newsroom(reuters) * NEWSROOM_TIMES
    chosen = random.Random(seed)
    squad2 = read_squad(data / "squad2_part" / "train.json", source="squad2")
    wiki = read_squad(data / "shifts" / "new_wiki.json", source="squadshifts-wiki")
    shares = (
        (squad2, 5),
        (wiki, 4),
        (read_reqa(data / "kou" / "train.json"), 5),
        (read_selqa(data / SELQA), 5),
        (read_qed(data / "qed" / "dev.jsonl"), 12),
    )
    return [
        *own,
        *(group for group in squad2 if not group.right),
        *read_trecqa(data / TRECQA / "train.csv") * TRECQA_TIMES,
        *(
            group
            for groups, part in shares
            for group in chosen.sample(groups, min(len(groups), len(own) // part))
        ),
    ]


def _read_cut(questions: Path) -> dict[str, list[str]]:
    """Read the sentences of the articles that lie beside the questions, by the articles' names."""
    return {
        name: sentences
        for path in sorted(questions.glob("*.json"))
        for name, sentences in json.loads(path.read_text("utf-8")).items()
    }


def _read(
    path: Path, reuters: Path, cut: Mapping[str, list[str]]
) -> tuple[list[Line], dict[str, list[str]]]:
    """Read a file of questions, and the sentences of the articles that it names."""
    lines: list[Line] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    named = [name for line in lines for name, _ in (*line["right"], *line["wrong"])]
    articles = {
        name: cut.get(name) or _cut(reuters / f"{name}.txt") for name in dict.fromkeys(named)
    }
    return lines, articles


def _gold(name: str, sentences: Sequence[str], at: int) -> dict[str, object]:
    quote = sentences[at - 1]
    start = sum(len(sentence) + len(BETWEEN) for sentence in sentences[: at - 1])
    return {
        "file": f"{name}.txt",
        "quote": quote,
        "start": start,
        "end": start + len(quote),
        "key": [quote],
    }


def _groups(lines: Sequence[Line], articles: Mapping[str, Sequence[str]]) -> list[Group]:
    pool = list(dict.fromkeys(text for sentences in articles.values() for text in sentences))
    best = best_matches(pool, [line["question"] for line in lines], NEGATIVES)
    groups = []
    for line, found in zip(lines, best, strict=True):
        right, wrong = (
            dict.fromkeys(articles[name][number - 1] for name, number in line[side])
            for side in ("right", "wrong")
        )
        groups.append(
            Group(
                question=line["question"],
                right=tuple(right),
                wrong=tuple(text for text in dict.fromkeys((*wrong, *found)) if text not in right),
                source="newsroom",
            )
        )
    return groups


def _cut(article: Path) -> list[str]:
    text = article.read_bytes().decode("utf-8")
    return [text[span.start : span.end].replace("\n", " ") for span, _ in sentence_spans(text)]


if __name__ == "__main__":
    main()
