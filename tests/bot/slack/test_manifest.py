"""bot/manifest.json: what Slack is told of the app is what the app does."""

import re

from bot.slack import listeners, web
from bot.slack.listeners import COMMANDS, EVENTS, SHORTCUTS, register
from tests.slack_server.methods import METHODS


class Recorder:
    """Takes down what is registered, as Bolt's App would take it."""

    def __init__(self):
        self.registered = []

    def __getattr__(self, kind):
        def register_one(what):
            self.registered.append((kind, what))
            return lambda listener: listener

        return register_one


class Anything:
    def __getattr__(self, name):
        return name


def registered(kind):
    recorder = Recorder()
    register(recorder, Anything(), Anything(), on_removal=print)
    return [what for registered, what in recorder.registered if registered == kind]


def test_the_events_are_those_that_are_listened_to(manifest):
    """No event is subscribed to without a listener, and none is waited for in vain."""
    subscribed = manifest["settings"]["event_subscriptions"]["bot_events"]
    assert {name.partition(".")[0] for name in subscribed} == set(EVENTS)
    names = [what["type"] if isinstance(what, dict) else what for what in registered("event")]
    assert {name for name in names if isinstance(name, str)} == set(EVENTS)


def test_commands_and_shortcuts_are_those_that_are_listened_to(manifest):
    """Their names agree, and each shortcut is of the kind that its listener reads."""
    features = manifest["features"]
    assert tuple(each["command"] for each in features["slash_commands"]) == COMMANDS
    assert [(each["type"], each["callback_id"]) for each in features["shortcuts"]] == [
        ("message", SHORTCUTS[0]),
        ("global", SHORTCUTS[1]),
    ]
    assert registered("command")[:-1] == list(COMMANDS)
    assert registered("shortcut")[:-1] == list(SHORTCUTS)


def test_the_last_listener_of_each_kind_takes_everything():
    """What is for nobody is acknowledged too; otherwise Slack would send it again."""
    kinds = ("event", "action", "shortcut", "command", "options", "view", "view_closed")
    assert {kind: registered(kind)[-1] for kind in kinds} == dict.fromkeys(kinds, re.compile(".*"))


def test_the_agent_view_and_its_messages_are_on(manifest):
    """People can write to the bot, and see its Home."""
    features = manifest["features"]
    assert features["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }
    assert len(features["agent_view"]["agent_description"]) <= 300
    assert "assistant_view" not in features


def test_the_scopes_are_those_that_the_calls_need(manifest):
    """Each scope is needed by a call or an event, and each call has its scope."""
    called = (
        "assistant.threads.setStatus",
        "assistant.threads.setSuggestedPrompts",
        "auth.test",
        "chat.delete",
        "chat.postEphemeral",
        "chat.postMessage",
        "chat.update",
        "conversations.history",
        "conversations.replies",
        "users.info",
        "views.open",
        "views.publish",
        "views.push",
        "views.update",
    )
    scopes = set(manifest["oauth_config"]["scopes"]["bot"])
    for_calls = [set(METHODS[name].scopes) for name in called]
    assert all(not needed or needed & scopes for needed in for_calls)
    for_events = {"app_mentions:read", "commands"}
    assert scopes == {scope for needed in for_calls for scope in needed & scopes} | for_events


def test_socket_mode_is_the_default(manifest):
    """The five steps of the README open no port; HTTP mode has its path in the code."""
    settings = manifest["settings"]
    assert settings["socket_mode_enabled"] is True
    assert settings["interactivity"] == {"is_enabled": True}
    assert web.PATH == "/slack/events"
    assert listeners.COMMANDS == ("/ask",)
