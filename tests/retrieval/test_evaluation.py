"""Questions with known answers and replies → figures: judging.py, measures.py, evaluation.py."""

import math
from dataclasses import replace

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from retrieval.datatypes import (
    Abstention,
    Answer,
    Article,
    Finding,
    Help,
    Question,
    Quote,
    Resolved,
    Span,
)
from retrieval.evaluation import RankingQuestion, compare, evaluate, evaluate_ranking, hit_curve
from retrieval.judging import OWN_PARAGRAPH, Gold, GoldQuestion, given_of, unknown_golds
from retrieval.measures import (
    average_precision,
    calibration_error,
    intervals,
    mean_of,
    reciprocal_rank,
    reliability,
    risk_coverage,
)

RED, BLUE, GREEN = "The red car is Anna’s.", "Bob owns the blue car.", "Nobody wants the green."
TEXT = f"{RED} {BLUE} {GREEN}\n"
COPY = f"Two cars.\n{BLUE}\n"


def article(path, text):
    return Article(path=path, raw=text.encode(), text=text)


A, B = article("a.txt", TEXT), article("b.txt", COPY)
ARTICLES = {"a.txt": A, "b.txt": B}


def quote_of(text, source=A):
    start = source.text.index(text)
    return Quote(article=source, span=Span(start=start, end=start + len(text)))


def gold(number, *places, **more):
    return GoldQuestion(
        **{
            "id": number,
            "question": Question(text=f"Question {number}?"),
            "kind": "who",
            "answerable": bool(places),
            "gold": places,
            **more,
        }
    )


def answered(*findings, confidence=0.9, seconds=0.01):
    """Make an Answer of findings, each a lead and its support."""
    question = Question(text="Whose?")
    reply = Answer(
        question=question,
        resolved=Resolved(text=question.text),
        findings=tuple(Finding(lead=lead, support=support) for lead, *support in findings),
        confidence=confidence,
        generation="0" * 12,
    )
    return given_of(reply, seconds=seconds)


def abstained(*nearest, confidence=0.1, seconds=0.01):
    question = Question(text="Whose?")
    reply = Abstention(
        question=question,
        resolved=Resolved(text=question.text),
        reason="not_stated",
        nearest=nearest,
        missing=(),
        confidence=confidence,
        generation="0" * 12,
    )
    return given_of(reply, seconds=seconds)


def helped():
    return given_of(Help(question=Question(text="Hi"), generation="0" * 12), seconds=0.01)


def figures_of(golds, given):
    return {each.name: each.value for each in evaluate(golds, given, ARTICLES).figures}


def marks_of(gold_question, given):
    (judged,) = evaluate([gold_question], [given], ARTICLES).judged
    return dict(judged.marks)


RED_GOLD = Gold(path="a.txt", quote=RED)
BLUE_GOLD = Gold(path="a.txt", quote=BLUE, key=("Bob",))


def test_the_figures_of_a_small_set():
    """Right first, right third, wrongly refused, rightly refused, wrongly answered, smalltalk."""
    golds = [
        gold(1, RED_GOLD),
        gold(2, BLUE_GOLD),
        gold(3, RED_GOLD),
        gold(4),
        gold(5, kind="near"),
        gold(6, kind="smalltalk", smalltalk=True),
    ]
    given = [
        answered([quote_of(RED)], confidence=0.95, seconds=0.010),
        answered([quote_of(GREEN)], [quote_of(RED)], [quote_of(BLUE)], confidence=0.75),
        abstained(quote_of(RED), confidence=0.35),
        abstained(quote_of(GREEN), confidence=0.05, seconds=0.050),
        answered([quote_of(GREEN)], confidence=0.55),
        helped(),
    ]
    evaluation = evaluate(golds, given, ARTICLES)
    figures = {each.name: each.value for each in evaluation.figures}
    unknown = {"groups@3", "sources", "traps", "AUROC own paragraph"}
    assert {name for name, value in figures.items() if math.isnan(value)} == unknown
    assert {name: value for name, value in figures.items() if name not in unknown} == pytest.approx(
        {
            "questions": 6,
            "quotes": 7,
            "misquotes": 0,
            "useful": 3 / 6,
            "right@1": 1 / 3,
            "right@3": 2 / 3,
            "ranked@1": 2 / 3,
            "ranked@3": 1.0,
            "kept": 2 / 3,
            "refused": 2 / 3,
            "AUROC": 5 / 6,  # .95 and .75 beat .05 and .55, .35 beats .05 alone
            "ECE": (0.05 + 0.75 + 0.65 + 0.05 + 0.55) / 5,
            "risk–coverage area": (0 + 1 / 2 + 2 / 3 + 2 / 4 + 3 / 5) / 5,
            "quote length (median)": 22,
            "p50 ms": 10,
            "p95 ms": 50,
        }
    )
    assert [each.gold.id for each in evaluation.misses] == [2, 3, 5]
    assert [(kind.name, kind.questions) for kind in evaluation.kinds] == [
        ("near", 1),
        ("smalltalk", 1),
        ("who", 4),
    ]
    assert dict(evaluation.kinds[2].shares) == pytest.approx(
        {"useful": 2 / 4, "right@1": 1 / 3, "right@3": 2 / 3}
    )


@pytest.mark.parametrize(
    ("place", "shown", "right"),
    [
        (Gold(path="a.txt", quote=BLUE, key=("Bob", "blue")), quote_of("Bob owns the blue"), True),
        (Gold(path="a.txt", quote=BLUE, key=("Bob", "blue")), quote_of("Bob owns"), False),
        (Gold(path="a.txt", quote=BLUE), quote_of(f"{RED} {BLUE}"), True),
        (Gold(path="a.txt", quote=BLUE), quote_of("Anna’s. Bob"), False),
        (Gold(path="a.txt", quote=BLUE), quote_of(BLUE, B), False),
        (Gold(path="b.txt", quote=BLUE), quote_of(BLUE, B), True),
        (Gold(path="a.txt", quote=BLUE, start=3), quote_of(BLUE), True),
        (Gold(path="a.txt", quote="Bob owns no car."), quote_of(BLUE), False),
        (Gold(path="a.txt", answers=("BOB",)), quote_of(BLUE), True),
        (Gold(path="a.txt", answers=("Carl",)), quote_of(BLUE), False),
        (Gold(path="a.txt"), quote_of(GREEN), True),
    ],
    ids=[
        *("every key", "a key is missing", "half of the shorter", "less than half"),
        *("another file", "the same words in the right file", "a start that is out of date"),
        *("not in the article", "an answer in any case", "no answer", "the file alone"),
    ],
)
def test_what_is_a_right_quote(place, shown, right):
    """By key, by overlap, by answer, by file, in this order."""
    assert marks_of(gold(1, place), answered([shown]))["right@1"] == right


def test_a_quote_of_everything_is_never_right():
    """Longer than twice the longest gold quote + 300 characters, even with every key."""
    text = "Bob owns it. " + "x" * 400 + ".\n"
    long = article("long.txt", text)
    place = Gold(path="long.txt", quote="Bob owns it.", key=("Bob",))
    for length, right in ((324, 1.0), (325, 0.0)):
        given = answered([Quote(article=long, span=Span(start=0, end=length))])
        (judged,) = evaluate([gold(1, place)], [given], {"long.txt": long}).judged
        assert judged.mark("right@1") == right


def test_several_facts_and_their_sources():
    """Groups count leads and support of three findings; group 0 and partial ones are not asked."""
    wanted = gold(
        1,
        Gold(path="a.txt", quote=RED, group=1),
        Gold(path="b.txt", quote=BLUE, group=2),
        Gold(path="a.txt", quote=GREEN, group=0),
        Gold(path="a.txt", quote=GREEN, group=3, partial=True),
        every_group=True,
        sources=("a.txt", "b.txt", "c.txt"),
    )
    marks = marks_of(wanted, answered([quote_of(GREEN), quote_of(BLUE, B)], [quote_of(RED)]))
    assert marks["groups@3"] == 1.0
    # the lead GREEN is a right quote of group 0, and its finding names two of three files
    assert marks["sources"] == pytest.approx(2 / 3)
    assert marks_of(wanted, answered([quote_of(RED)]))["groups@3"] == 0.5


def test_a_trap_counts_only_where_the_first_quote_is_wrong():
    """For answerable questions and for others; an abstention falls into none."""
    trapped = gold(1, BLUE_GOLD, traps=("red car",))
    both = quote_of(f"{RED} {BLUE}")
    assert marks_of(trapped, answered([quote_of(RED)]))["traps"] == 1.0
    assert marks_of(trapped, answered([both]))["traps"] == 0.0
    assert marks_of(trapped, abstained(quote_of(RED)))["traps"] == 0.0
    assert marks_of(gold(2, traps=("red car",)), answered([quote_of(RED)]))["traps"] == 1.0


def test_abstaining_is_useful_where_it_may_be_right():
    """`may_abstain` makes no answer out of it: right@1 stays 0."""
    marks = marks_of(gold(1, RED_GOLD, may_abstain=True), abstained())
    assert (marks["useful"], marks["right@1"], marks["kept"]) == (1.0, 0.0, 0.0)


def test_questions_that_only_their_paragraph_does_not_answer_stand_apart():
    """They give an AUROC of their own, and count in no other share."""
    golds = [gold(1, RED_GOLD), gold(2), gold(3, kind=OWN_PARAGRAPH)]
    given = [
        answered([quote_of(RED)], confidence=0.6),
        abstained(confidence=0.1),
        answered([quote_of(RED)], confidence=0.7),
    ]
    figures = figures_of(golds, given)
    assert (figures["AUROC"], figures["AUROC own paragraph"]) == (1.0, 0.0)
    assert (figures["useful"], figures["refused"]) == (1.0, 1.0)


def test_quotes_that_are_not_in_their_file_are_counted():
    """By code points, by bytes, and where the file is gone."""
    lead = answered([quote_of(BLUE)]).findings[0][0]
    wrong = [
        replace(lead, text=BLUE.replace("Bob", "Bab")),
        replace(lead, byte_start=lead.byte_start + 1),
        replace(lead, path="gone.txt"),
        replace(lead, text=""),
    ]
    given = replace(answered([quote_of(BLUE)]), findings=((lead, *wrong),))
    assert figures_of([gold(1, BLUE_GOLD)], [given])["misquotes"] == 4


def test_gold_quotes_that_the_articles_do_not_hold_are_counted():
    """A missing file and a missing text; a file without a quote is no miss."""
    places = (RED_GOLD, Gold(path="a.txt", quote="Nope."), Gold(path="c.txt"), Gold(path="b.txt"))
    assert unknown_golds([gold(1, *places)], ARTICLES) == 2


def test_a_comparison_names_what_was_won_and_lost():
    """Pairs of before and now, and the questions that stayed are in neither."""
    golds = [gold(1, RED_GOLD), gold(2, BLUE_GOLD), gold(3, RED_GOLD)]
    right, wrong = answered([quote_of(RED)]), answered([quote_of(GREEN)])
    before = evaluate(golds, [wrong, answered([quote_of(BLUE)]), right], ARTICLES)
    now = evaluate(golds, [right, wrong, right], ARTICLES)
    comparison = compare(before, now)
    assert [(old.given, new.given) for old, new in comparison.won] == [(wrong, right)]
    assert [new.gold.id for _, new in comparison.lost] == [2]


def test_the_curve_of_hits():
    """It rises at the rank of the first right quote and looks at answerable questions alone."""
    golds = [gold(1, RED_GOLD), gold(2, BLUE_GOLD), gold(3)]
    shown = [
        answered([quote_of(RED)]).ranked,
        abstained(quote_of(GREEN), quote_of(RED), quote_of(BLUE)).ranked,
        (),
    ]
    assert hit_curve(golds, shown, ARTICLES) == (0.5, 0.5, *[1.0] * 8)
    assert hit_curve([gold(1)], [()], ARTICLES) == ()


def test_no_question_gives_no_figure():
    """Shares are NaN, not 0, and nothing breaks."""
    figures = figures_of([], [])
    assert figures.pop("questions") == figures.pop("quotes") == figures.pop("misquotes") == 0
    assert all(math.isnan(value) for value in figures.values())


def test_intervals_hold_their_figure_and_are_the_same_each_time():
    """Seeded; the figure of a set of 40 lies inside its interval."""
    golds = [gold(i, RED_GOLD) if i % 4 else gold(i) for i in range(40)]
    given = [
        answered([quote_of(RED if i % 3 else GREEN)], confidence=(i * 7 % 40) / 40)
        for i in range(40)
    ]
    evaluation = evaluate(golds, given, ARTICLES)
    bounded = {each.name: each for each in evaluation.figures if each.interval}
    assert list(bounded) == ["useful", "right@1", "right@3", "AUROC"]
    for each in bounded.values():
        low, high = each.interval
        assert low < each.value < high
    assert evaluate(golds, given, ARTICLES).figures[3:6] == evaluation.figures[3:6]


def test_map_and_mrr_of_candidates():
    """Questions with one label only do not count; ties keep the order of the file."""
    questions = [
        RankingQuestion(question="a", sentences=(("no", False), ("yes", True), ("yes yes", True))),
        RankingQuestion(question="b", sentences=(("no", False), ("no", True), ("no no no", False))),
        RankingQuestion(question="c", sentences=(("no", False),)),
    ]

    def by_length(_question, sentences):
        return [len(sentence) for sentence in sentences]

    figures = {each.name: each.value for each in evaluate_ranking(questions, by_length)}
    assert figures == pytest.approx(
        {
            "questions": 3,
            "with both labels": 2,
            "MAP": (1.0 + 1 / 3) / 2,
            "MRR": (1.0 + 1 / 3) / 2,
        }
    )


def test_average_precision_and_reciprocal_rank():
    """As defined for TREC; a ranking without a right item has reciprocal rank 0."""
    assert average_precision([True, False, True]) == pytest.approx((1 + 2 / 3) / 2)
    assert reciprocal_rank([False, False, True]) == pytest.approx(1 / 3)
    assert reciprocal_rank([False]) == 0.0


def test_risk_does_not_depend_on_the_order_of_ties():
    """Replies of one confidence have the risk that is to be expected of them."""
    expected = ((0.25, 0.0), (0.5, 0.25), (0.75, 1 / 3), (1.0, 0.5))
    for right in ([True, True, False, False], [True, False, True, False]):
        points = risk_coverage([0.9, 0.5, 0.5, 0.1], right)
        assert points == tuple(pytest.approx(point) for point in expected)


SCORED = st.lists(
    st.tuples(st.sampled_from([i / 20 for i in range(21)]), st.booleans()), min_size=1, max_size=40
)


@for_all(SCORED)
def test_calibration_error_is_the_sum_over_bins(scored):
    """Against the definition, with the bins' limits as whole numbers; 1.0 is in the last bin."""
    error = 0.0
    for low in range(0, 20, 2):
        inside = [
            (score, right)
            for score, right in scored
            if low <= round(score * 20) < low + 2 or (low == 18 and score == 1.0)
        ]
        if inside:
            confidence = sum(score for score, _ in inside) / len(inside)
            share = sum(right for _, right in inside) / len(inside)
            error += len(inside) / len(scored) * abs(confidence - share)
    assert calibration_error(reliability(*zip(*scored, strict=True))) == pytest.approx(error)


@for_all(SCORED)
def test_the_risk_at_full_coverage_is_the_share_wrong(scored):
    """Whatever the confidences are; coverage rises to 1 in equal steps."""
    points = risk_coverage(*zip(*scored, strict=True))
    wrong = sum(not right for _, right in scored)
    assert points[-1] == pytest.approx((1.0, wrong / len(scored)))
    assert [coverage for coverage, _ in points] == pytest.approx(
        [(i + 1) / len(scored) for i in range(len(scored))]
    )


def test_the_interval_of_a_mean_is_that_of_its_questions():
    """Nothing to draw from: no interval; one value: no width; questions without one: left out."""
    assert intervals({"m": mean_of([None, None])}, 2) == {}
    assert intervals({"m": mean_of([])}, 0) == {}
    assert intervals({"m": mean_of([0.5, None, 0.5])}, 3) == {"m": (0.5, 0.5)}
