"""What the comparison with the peers computes, without the peers."""

import pytest

from bot.gold_files import read_golds
from retrieval import Abstention, Article, Gold, GoldQuestion, Help, Question, Quote, Resolved, Span
from tests.benchmarks.peers.__main__ import PINS, QUESTIONS, ROOT, drawn
from tests.benchmarks.peers.archive import (
    Archive,
    Engine,
    Found,
    Place,
    Run,
    read_archive,
    read_run,
    write_archive,
    write_run,
)
from tests.benchmarks.peers.clippings import found
from tests.benchmarks.peers.cutting import cut_folder, passages_of
from tests.benchmarks.peers.drawing import draw
from tests.benchmarks.peers.engines import CLIPPINGS, NAMES, WITHOUT_RANKER, engine_of
from tests.benchmarks.peers.hits import gold_places, hit_rate, median_length, overlap
from tests.benchmarks.peers.running import run
from tests.benchmarks.peers.table import Spread, hit_table, quantile, rows, speed_table

TEXT = "Rubio called. Sharif spoke. Dar waited. Dar left. Dar left. Ships sailed."


def place(start, end, path="a.txt"):
    return Place(path=path, start=start, end=end)


def run_of(engine, *, index_s, question_s=(0.01,), places=()):
    return Run(
        engine=engine,
        index_s=index_s,
        index_cpu_s=2 * index_s,
        question_s=question_s,
        questions_cpu_s=sum(question_s),
        found=(tuple(places),),
        declined=0,
        peak_bytes=200 * 1024 * 1024,
        resident_bytes=100 * 1024 * 1024,
        versions=(("numpy", "1"),),
    )


ARCHIVE = Archive(
    folder="x", places=(place(0, 10),), texts=("Ships came",), characters=1000, cutting_s=0.5
)


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (place(4, 6), True),
        (place(0, 100), True),
        (place(9, 12), True),
        (place(0, 5), False),
        (place(10, 12), False),
        (place(5, 10, "b.txt"), False),
    ],
)
def test_places_overlap_where_they_share_a_code_point_of_a_file(other, expected):
    """Ranges are half-open: one that begins where the other ends shares nothing."""
    assert overlap(place(5, 10), other) is expected
    assert overlap(other, place(5, 10)) is expected


def test_a_gold_quote_stands_where_it_is_said_to_or_else_at_its_first_occurrence():
    """What only supports, has no quote, or stands in a file that is not here does not count."""
    gold = (
        Gold(path="a.txt", quote="Dar left.", start=50),
        Gold(path="a.txt", quote="Dar left."),
        Gold(path="a.txt", quote="Dar left.", start=7),
        Gold(path="a.txt", quote="Ships sailed.", partial=True),
        Gold(path="a.txt", answers=("Dar",)),
        Gold(path="b.txt", quote="Dar left."),
    )
    question = GoldQuestion(
        id=1, question=Question(text="Who left?"), kind="who", answerable=True, gold=gold
    )
    assert gold_places(question, {"a.txt": TEXT}) == (place(50, 59), place(40, 49), place(40, 49))


def test_the_hit_rate_counts_questions_with_a_right_place_among_the_first_k():
    """A question whose answer is not in the folder is not counted; without any there is no rate."""
    results = [[place(0, 5), place(20, 30)], [place(0, 5)], []]
    gold = [[place(25, 26)], [], [place(0, 9)]]
    assert hit_rate(results, gold, 1) == 0.0
    assert hit_rate(results, gold, 3) == 0.5
    assert hit_rate(results, [[], [], []], 3) is None


def test_the_median_length_is_that_of_what_stands_first():
    """A question that got nothing is left out."""
    assert median_length([[place(0, 5), place(0, 90)], [place(0, 7)], [], [place(3, 9)]]) == 6
    assert median_length([[]]) == 0.0


def test_a_quantile_is_one_of_the_values():
    """The smallest that as many values as asked for do not exceed."""
    assert [quantile([3.0, 1.0, 2.0, 4.0], share) for share in (0.0, 0.5, 0.75, 0.95)] == [
        1,
        2,
        3,
        4,
    ]


def test_peers_are_charged_for_cutting_and_ratios_are_taken_within_each_round():
    """Clippings cuts by itself: its own time has it already."""
    rounds = [
        {
            CLIPPINGS: run_of(CLIPPINGS, index_s=1.0, question_s=(0.04,)),
            WITHOUT_RANKER: run_of(WITHOUT_RANKER, index_s=1.0, question_s=(0.01,)),
            "txtai": run_of("txtai", index_s=3.5, question_s=(0.02,)),
        },
        {
            CLIPPINGS: run_of(CLIPPINGS, index_s=2.0, question_s=(0.08,)),
            WITHOUT_RANKER: run_of(WITHOUT_RANKER, index_s=2.0, question_s=(0.01,)),
            "txtai": run_of("txtai", index_s=9.5, question_s=(0.02,)),
        },
    ]
    own, _, txtai = rows(rounds, archive=ARCHIVE, cutting_s=[0.5, 0.5], gold=[[]])
    assert own.characters == Spread(median=750, least=500, most=1000)
    assert txtai.characters == Spread(median=175, least=100, most=250)
    assert txtai.index_ratio == Spread(median=4.5, least=4, most=5)
    assert txtai.off_ratio == Spread(median=0.5, least=0.5, most=0.5)
    assert txtai.on_ratio == Spread(median=3, least=2, most=4)
    assert txtai.p50_ms == Spread(median=20, least=20, most=20)


def test_the_tables_are_markdown():
    """Medians with the least and the most, a dash where there is nothing to compare with."""
    rounds = [{"txtai": run_of("txtai", index_s=s, places=[place(0, 9)])} for s in (1.5, 3.5)]
    found_rows = rows(rounds, archive=ARCHIVE, cutting_s=[0.5, 0.5], gold=[[place(5, 6)]])
    assert speed_table(found_rows).splitlines()[2] == (
        "| txtai | 375 (250–500) | 0.4 (0.2–0.5) | – | 10.0 | 10.0 | – | – |"
    )
    assert hit_table(found_rows).splitlines()[2] == "| txtai | 100.0 % | 100.0 % | 9 | can not |"


def test_the_plot_names_each_engine():
    """The same figures give the same bytes."""
    rounds = [{"txtai": run_of("txtai", index_s=1.0)}]
    found_rows = rows(rounds, archive=ARCHIVE, cutting_s=[0.5], gold=[[]])
    svg = draw(found_rows, "reuters")
    assert svg.startswith("<?xml")
    assert "<!-- txtai -->" in svg
    assert draw(found_rows, "reuters") == svg


def test_archives_and_runs_survive_the_way_between_processes(tmp_path):
    """Each engine has a process of its own."""
    write_archive(ARCHIVE, tmp_path / "archive.json")
    assert read_archive(tmp_path / "archive.json") == ARCHIVE
    done = run_of("txtai", index_s=1.5, places=[place(0, 9)])
    write_run(done, tmp_path / "run.json")
    assert read_run(tmp_path / "run.json") == done


def test_passages_are_three_sentences_that_share_one():
    """As Clippings cuts them; the places are those of the file."""
    assert [TEXT[each.start : each.end] for each in passages_of(TEXT, path="a.txt")] == [
        "Rubio called. Sharif spoke. Dar waited.",
        "Dar waited. Dar left. Dar left.",
        "Dar left. Ships sailed.",
    ]


def test_a_folder_is_cut_with_its_characters_counted(tmp_path):
    """The texts are those of the places."""
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    archive = cut_folder(tmp_path)
    assert archive.characters == len(TEXT)
    assert archive.texts == tuple(TEXT[each.start : each.end] for each in archive.places)


def test_questions_are_drawn_among_those_with_an_answer_and_no_thread():
    """In the order of the file, the same for the same seed."""
    golds = read_golds(QUESTIONS.read_bytes())
    fit = [each for each in golds if each.answerable and not each.question.context]
    assert 0 < len(fit) < len(golds)
    assert drawn(golds, 1000, 1) == fit
    some = drawn(golds, 5, 1)
    assert some == drawn(golds, 5, 1)
    assert [each for each in fit if each in some] == some
    assert len(some) == 5


def test_an_engine_is_loaded_warmed_and_timed(tmp_path):
    """It may write into a folder of its own; the first questions are asked twice."""
    told = []

    def load(model):
        told.append(model)

        def build(archive, folder):
            (folder / "index").write_text("x", encoding="utf-8")

            def search(question):
                told.append(question)
                return Found(places=archive.places, is_declined=question == "b")

            return search

        return build

    engine = Engine(load=load, settings="none", packages=("numpy",))
    done = run("fake", engine, ARCHIVE, ["a", "b"], tmp_path)
    assert told == [tmp_path, "a", "b", "a", "b"]
    assert done.found == (ARCHIVE.places, ARCHIVE.places)
    assert done.declined == 1
    assert len(done.question_s) == 2
    assert done.versions[0][0] == "numpy"
    assert done.peak_bytes >= done.resident_bytes > 0


def test_what_clippings_shows_as_nearest_is_looked_at_too():
    """An abstention counts by its nearest passages and is marked; small talk has no place."""
    article = Article(path="a.txt", raw=TEXT.encode(), text=TEXT)
    question = Question(text="x")
    nearest = Quote(article=article, span=Span(start=3, end=8))
    abstention = Abstention(
        question=question,
        resolved=Resolved(text="x"),
        reason="not_stated",
        nearest=(nearest,),
        missing=(),
        confidence=0.1,
        generation="g",
    )
    shown = Place(path=article.path, start=3, end=8)
    assert found(abstention) == Found(places=[shown], is_declined=True)
    assert found(Help(question=question, generation="g")) == Found(places=[], is_declined=True)


@pytest.mark.parametrize("name", NAMES)
def test_an_engine_is_described_without_its_packages(name):
    """Heavy imports wait for the engine's own process."""
    engine = engine_of(name)
    assert engine.settings
    assert engine.packages


def test_the_peers_share_the_libraries_of_the_project():
    """So that the engines differ, and not the versions below them."""

    def pins(file):
        lines = file.read_text("utf-8").splitlines()
        return dict(line.split("==") for line in lines if "==" in line)

    own, theirs = pins(ROOT / "requirements.txt"), pins(PINS)
    for name in ("torch", "transformers", "tokenizers", "sentence-transformers", "faiss-cpu"):
        assert theirs[name] == own[name]
