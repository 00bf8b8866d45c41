"""Figures are counts and times."""

from bot.metrics import Metrics


def test_every_figure_is_rendered():
    """Each thing that is seen is counted under its name."""
    metrics = Metrics()
    metrics.saw_event("mention", "taken")
    metrics.saw_answer("abstention")
    metrics.saw_call("post", "ok")
    metrics.saw_end("posted")
    metrics.saw_mismatch()
    metrics.took("put", 0.004)
    metrics.watch("open_questions", "Questions on their way", lambda: 3)
    figures = metrics.render().decode().splitlines()
    assert [
        line for line in figures if line.endswith((" 1.0", " 3.0")) and "bucket" not in line
    ] == [
        'clippings_events_total{result="taken",surface="mention"} 1.0',
        'clippings_answers_total{outcome="abstention"} 1.0',
        'clippings_slack_calls_total{code="ok",kind="post"} 1.0',
        'clippings_deliveries_total{result="posted"} 1.0',
        "clippings_quote_roundtrip_mismatches_total 1.0",
        'clippings_seconds_count{step="put"} 1.0',
        "clippings_open_questions 3.0",
    ]


def test_two_bots_in_one_process_count_apart():
    """Nothing is registered globally."""
    first, second = Metrics(), Metrics()
    first.saw_mismatch()
    assert "mismatches_total 0.0" in second.render().decode()
