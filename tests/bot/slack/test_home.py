"""home.py: the App Home."""

from datetime import date, timedelta

import pytest

from bot.slack.home import Known, PolicyView, home_view

KNOWN = Known(
    articles=1204,
    undated=3,
    earliest=date(2025, 5, 1),
    latest=date(2025, 5, 2),
    age=timedelta(hours=3, minutes=59),
)
PROMPTS = [{"title": "Bruce", "message": "What do the articles say about Tammy Bruce?"}]


def items(view, heading: str) -> list[str]:
    """Give the items of the list below a heading."""
    at = [block.get("text", {}).get("text") for block in view["blocks"]].index(heading)
    (found,) = view["blocks"][at + 1]["elements"]
    return [item["elements"][0]["text"] for item in found["elements"]]


def home(known=KNOWN, questions=(), policy=None):
    return home_view(known, prompts=PROMPTS, questions=questions, policy=policy)


def test_home_says_what_the_bot_knows():
    """How many articles, of which days, indexed when."""
    assert items(home(), "What I know") == [
        "1,204 articles",
        "Published from 2025-05-01 to 2025-05-02; 3 without a date.",
        "Indexed 3 hours ago.",
    ]


def test_home_invents_no_dates():
    """Without a single date it says so."""
    known = Known(articles=1, undated=1, earliest=None, latest=None, age=timedelta(0))
    assert items(home(known), "What I know") == [
        "1 article",
        "None of them says when it was published.",
        "Indexed just now.",
    ]


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=119), "1 hour ago"),
        (timedelta(days=2, hours=3), "2 days ago"),
    ],
)
def test_the_age_of_the_index_is_said_in_words(age, said):
    """In the largest unit that is full."""
    known = Known(articles=1, undated=1, earliest=None, latest=None, age=age)
    assert items(home(known), "What I know")[2] == f"Indexed {said}."


def test_home_shows_the_last_ten_questions_as_text():
    """Whatever was asked stands there as characters, on a line each."""
    questions = ["Who <!channel>\n:rocket:?", *(f"q{n}" for n in range(12))]
    assert items(home(questions=questions), "Your last questions") == [
        "Who <!channel> :rocket:?",
        *(f"q{n}" for n in range(9)),
    ]


def test_home_without_questions_says_so():
    """An empty list would be no block at all."""
    assert items(home(), "Your last questions") == ["None yet."]


def test_a_long_question_is_shortened_and_says_so():
    """Two hundred characters of it are shown."""
    shown = items(home(questions=["x" * 300]), "Your last questions")
    assert shown == ["x" * 200 + "… (shortened)"]


def test_only_administrators_see_the_policy():
    """Others do not even see its heading."""
    seen = home(policy=PolicyView(default="denied", channels=("C1", "C2")))["blocks"][-1]
    assert seen == {
        "type": "section",
        "text": {
            "type": "plain_text",
            "text": "I answer in the channels chosen here, and in no others.",
            "emoji": False,
        },
        "accessory": {
            "type": "multi_conversations_select",
            "action_id": "channel_policy",
            "placeholder": {"type": "plain_text", "text": "Choose channels", "emoji": False},
            "filter": {
                "include": ["public", "private"],
                "exclude_external_shared_channels": True,
            },
            "initial_conversations": ["C1", "C2"],
        },
    }
    assert "Where I answer" not in str(home())


def test_an_empty_policy_has_no_initial_channels():
    """Slack refuses an empty list."""
    view = home(policy=PolicyView(default="allowed", channels=()))
    assert "initial_conversations" not in view["blocks"][-1]["accessory"]
