"""The reference renderer: it sees each ping, link and formatting, and no other."""

import pytest

from tests.slack_server.rendering import effects, quotes, visible_text


def of_text(text: str) -> list[str]:
    return [kind for kind, _ in effects({"text": text})]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("<!channel> hi", ["ping"]),
        ("<!subteam^S1|@all> hi", ["ping", "link"]),
        ("<@U1> hi", ["ping"]),
        ("hi @here", ["ping"]),
        ("<http://x.org|y>", ["link", "link"]),
        ("see https://x.org", ["link"]),
        ("<#C1|general>", ["link", "link"]),
        (":rocket: off", ["emoji"]),
        ("*bold* _it_ ~no~ `code`", ["bold", "italic", "strike", "code"]),
        ("&gt; said", ["quotation"]),
        ("&lt;!channel&gt; 2 * 3 * 4, a_b_c, 12:30:45 a@b.org", []),
    ],
)
def test_effects_of_mrkdwn(text, kinds):
    """What Slack would make of a text."""
    assert sorted(of_text(text)) == sorted(kinds) or (
        kinds == ["link", "link"] and set(of_text(text)) == {"link"}
    )


def test_text_elements_of_rich_text_do_nothing():
    """Rich text shows its text elements as they are; other elements act."""
    quote = {
        "type": "rich_text_quote",
        "elements": [{"type": "text", "text": "<!channel> *a* :b:"}],
    }
    message = {"text": "", "blocks": [{"type": "rich_text", "elements": [quote]}]}
    assert effects(message) == []
    assert quotes(message) == ["<!channel> *a* :b:"]
    assert visible_text(message) == "<!channel> *a* :b:"
    quote["elements"].append({"type": "broadcast", "range": "here"})
    assert [kind for kind, _ in effects(message)] == ["ping"]


@pytest.mark.parametrize(
    ("block", "kinds"),
    [
        ({"type": "section", "text": {"type": "mrkdwn", "text": "*a*"}}, ["bold"]),
        ({"type": "header", "text": {"type": "plain_text", "text": "*a* :b:"}}, ["emoji"]),
        (
            {"type": "header", "text": {"type": "plain_text", "text": ":b:", "emoji": False}},
            [],
        ),
        ({"type": "markdown", "text": "<@U1>"}, ["ping"]),
    ],
)
def test_effects_of_blocks(block, kinds):
    """Mrkdwn acts in full, plain text shows emoji unless it is told not to."""
    assert [kind for kind, _ in effects({"blocks": [block]})] == kinds
