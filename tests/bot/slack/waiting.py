"""Waiting for what the bot does, and reading it as a person would."""


def answer_in(slack, channel, ts, *, number=1):
    """Wait until a thread has so many messages of the bot's, and give the last."""
    assert slack.wait_for(lambda: len(slack.replies(channel, ts)) >= number, 30), "no answer came"
    return slack.replies(channel, ts)[number - 1]


def told(slack, user, *, after=0):
    """Wait for what only one person sees, and give it."""

    def seen():
        return [each for each in slack.ephemerals[after:] if each["user"] == user]

    assert slack.wait_for(seen), "nothing was said"
    return seen()[0]


def text_of(value) -> str:
    """Join every text in blocks or views, as a reader sees it."""
    if isinstance(value, dict):
        own = value.get("text")
        rest = [each for key, each in value.items() if key != "text"]
        return (own if isinstance(own, str) else text_of(own)) + "".join(map(text_of, rest))
    return "".join(map(text_of, value)) if isinstance(value, list) else ""


def values(message, action_id):
    """Give the value of each button of a message or view that has an action."""
    elements = [element for block in message["blocks"] for element in block.get("elements", [])]
    return [each.get("value") for each in elements if each.get("action_id") == action_id]
