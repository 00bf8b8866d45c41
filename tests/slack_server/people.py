"""What people do in the workspace, as the app hears of it: messages, and all that is clicked."""

import copy
from collections.abc import Mapping

from . import payloads
from .deliveries import Delivery
from .events import Events
from .json_types import Json
from .workspace import BOT_USER, Channel


class People(Events):
    """Each method is one thing that a person does."""

    def mention(
        self, text: str, *, user: str = "U1", channel: str = "C1", thread_ts: str | None = None
    ) -> str:
        """Type «@clippings text»; gives the message's ts."""
        return self.write(
            f"<@{BOT_USER}> {escaped(text)}", channel=channel, thread_ts=thread_ts, user=user
        )

    def direct_message(self, text: str, *, user: str = "U1", thread_ts: str | None = None) -> str:
        channel = self.space.direct(user).id
        return self.write(escaped(text), channel=channel, thread_ts=thread_ts, user=user)

    def say(self, text: str, channel: str, thread_ts: str | None = None, user: str = "U1") -> str:
        """Type a message without a mention."""
        return self.write(escaped(text), channel=channel, thread_ts=thread_ts, user=user)

    def write(
        self,
        source: str,
        *,
        channel: str = "C1",
        thread_ts: str | None = None,
        user: str = "U1",
        fields: Mapping[str, object] | None = None,
    ) -> str:
        """Post a user's message as Slack stores it; `fields` are added (subtype, bot_id, ...)."""
        with self.space.lock:
            place = self.space.channel(channel)
            message = payloads.user_message(self.space.user(user), source, thread_ts=thread_ts)
            message["client_msg_id"] = self.space.new_id("client-")
            stored = self.space.add_message(place, {**message, **(fields or {})})
            self.tell_message(stored, place)
        return str(stored["ts"])

    def edit(self, channel: str, ts: str, text: str) -> None:
        """Edit a user's message; a mention at its beginning stays."""
        with self.space.lock:
            place = self.space.channel(channel)
            message = self.space.message(place, ts)
            before = copy.deepcopy(message)
            mention = f"<@{BOT_USER}> "
            kept = mention if before["text"].startswith(mention) else ""
            author = self.space.user(message["user"])
            fresh = payloads.user_message(author, kept + escaped(text), thread_ts=None)
            changed = {"text": fresh["text"], "blocks": fresh.get("blocks", [])}
            message.update(changed, edited={"user": author.id, "ts": self.space.next_ts()})
            event = payloads.changed_event(message, before, place, ts=self.space.next_ts())
            self.send_event(event, channel=place)

    def delete(self, channel: str, ts: str) -> None:
        """Delete a user's message; where it has replies, Slack leaves a tombstone."""
        with self.space.lock:
            place = self.space.channel(channel)
            message = self.space.message(place, ts)
            before = copy.deepcopy(message)
            if any(m.get("thread_ts") == ts and m["ts"] != ts for m in place.messages):
                message.clear()
                message.update(payloads.tombstone(before))
                event = payloads.changed_event(message, before, place, ts=self.space.next_ts())
            else:
                place.messages.remove(message)
                event = payloads.deleted_event(before, place, ts=self.space.next_ts())
            self.send_event(event, channel=place)

    def open_home(self, user: str = "U1", tab: str = "home") -> Delivery | None:
        """Open the app's Home tab, or its Messages tab (the agent view)."""
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.space.direct(user).id,
            "tab": tab,
            "event_ts": self.space.next_ts(),
        }
        published = self.space.views.get(f"VHOME{user}")
        if tab == "home" and published:
            event["view"] = copy.deepcopy(published)
        return self.send_event(event)

    def command(
        self, command: str, text: str, *, user: str = "U1", channel: str = "C1"
    ) -> Delivery:
        """Type a slash command."""
        if command not in self.app.commands:
            raise LookupError(f"{command} is not in the app's manifest")
        place = self.space.channel(channel)
        payload = payloads.slash_command(
            command,
            escaped(text),
            user=self.space.user(user),
            channel=place,
            trigger_id=self.space.new_trigger(user),
            response_url=self._response_url(place, user, None),
        )
        return self.deliveries.start("slash_commands", payload)

    def shortcut(
        self,
        callback_id: str,
        *,
        user: str = "U1",
        channel: str | None = None,
        message_ts: str | None = None,
    ) -> Delivery:
        """Choose a shortcut: a message's where a message is given, else a global one."""
        wanted = "message" if message_ts else "global"
        if self.app.shortcuts.get(callback_id) != wanted:
            raise LookupError(f"{callback_id} is no {wanted} shortcut of the app's manifest")
        trigger_id = self.space.new_trigger(user)
        kind = "message_action" if message_ts else "shortcut"
        payload = payloads.interaction(kind, user=self.space.user(user), trigger_id=trigger_id)
        payload |= {"callback_id": callback_id, "action_ts": self.space.next_ts()}
        if message_ts and channel:
            place = self.space.channel(channel)
            message = self.space.message(place, message_ts)
            payload |= {
                "channel": payloads.channel_field(place),
                "message_ts": message_ts,
                "message": copy.deepcopy(message),
                "response_url": self._response_url(place, user, None),
            }
        return self.deliveries.start("interactive", payload)

    def click(
        self,
        action_id: str,
        value: str | None = None,
        *,
        message_ts: str | None = None,
        channel: str = "C1",
        user: str = "U1",
        view_id: str | None = None,
        expired: bool = False,
    ) -> Delivery:
        """Click a button of a message, an ephemeral message or a view.

        Args:
            value: Which of several buttons with the same action_id.
            expired: Whether the trigger is too old when it arrives.

        Raises:
            LookupError: there is no such button.
        """
        lives = -1.0 if expired else 3.0
        trigger_id = self.space.new_trigger(user, lives=lives)
        person = self.space.user(user)
        payload = payloads.interaction("block_actions", user=person, trigger_id=trigger_id)
        if view_id is not None:
            view = self.space.views[view_id]
            payload |= {"view": copy.deepcopy(view)}
            payload |= {"container": {"type": "view", "view_id": view_id}}
            block, element = find_element(view["blocks"], action_id, value)
        else:
            place = self.space.channel(channel)
            message, is_ephemeral = self._visible_message(place, message_ts, user)
            block, element = find_element(message.get("blocks", []), action_id, value)
            payload |= {
                "container": {
                    "type": "message",
                    "message_ts": message["ts"],
                    "channel_id": place.id,
                    "is_ephemeral": is_ephemeral,
                    **({"thread_ts": message["thread_ts"]} if message.get("thread_ts") else {}),
                },
                "channel": payloads.channel_field(place),
                "response_url": self._response_url(place, user, message),
            }
            if not is_ephemeral:
                payload["message"] = copy.deepcopy(message)
        chosen = _chosen(element, value)
        payload["actions"] = [
            {**chosen, "block_id": block["block_id"], "action_ts": self.space.next_ts()}
        ]
        return self.deliveries.start("interactive", payload)

    def submit(self, view: Json, values: Mapping[str, str], user: str = "U1") -> Delivery:
        """Submit a modal; `values` gives the text of each input by its action_id.

        Raises:
            LookupError: the view has no such input.
        """
        filled: dict[str, Json] = {}
        left = dict(values)
        for block in view["blocks"]:
            if block["type"] != "input":
                continue
            element = block["element"]
            name = element["action_id"]
            entered = _entered(element, left.pop(name, None))
            filled[block["block_id"]] = {name: entered}
        if left:
            raise LookupError(f"no such inputs: {sorted(left)}")
        shown = copy.deepcopy(self.space.views.get(view["id"], view))
        shown["state"] = {"values": filled}
        payload = payloads.interaction(
            "view_submission",
            user=self.space.user(user),
            trigger_id=self.space.new_trigger(user),
        )
        return self.deliveries.start("interactive", {**payload, "view": shown, "response_urls": []})

    def _visible_message(self, place: Channel, ts: str | None, user: str) -> tuple[Json, bool]:
        """Find a message that the user sees, and say whether it is ephemeral."""
        for message in self.space.ephemerals[::-1]:
            seen = message["channel"] == place.id and message["user"] == user
            if seen and ts in {None, message["ts"]}:
                return message, True
        if ts is None:
            raise LookupError(f"no message for {user} in {place.id}")
        return self.space.message(place, ts), False

    def _response_url(self, place: Channel, user: str, source: Json | None) -> str:
        return self.origin + self.space.new_response_url(place.id, user, source)


def escaped(text: str) -> str:
    """Escape what somebody types, as Slack does before an app sees it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def find_element(blocks: list[Json], action_id: str, value: str | None) -> tuple[Json, Json]:
    """Find a button or the like, and its block.

    Raises:
        LookupError: there is none.
    """
    for block in blocks:
        elements = list(block.get("elements", []))
        elements += [block[key] for key in ("accessory", "element") if key in block]
        for child in block.get("child_blocks", []):
            elements += child.get("elements", [])
        for element in elements:
            if element.get("action_id") == action_id and _can_choose(element, value):
                return block, element
    raise LookupError(f"nothing to click: {action_id} {value or ''}")


def _can_choose(element: Json, value: str | None) -> bool:
    return value is None or value in _values(element)


def _values(element: Json) -> list[str]:
    if element["type"] == "feedback_buttons":
        return [element[f"{kind}_button"]["value"] for kind in ("positive", "negative")]
    if "options" in element:
        return [option["value"] for option in element["options"]]
    return [str(element.get("value", ""))]


def _chosen(element: Json, value: str | None) -> Json:
    """Give the action that a click makes."""
    action = {"type": element["type"], "action_id": element["action_id"]}
    if element["type"] == "feedback_buttons":
        wanted = value or element["positive_button"]["value"]
        buttons = [element["positive_button"], element["negative_button"]]
        button = next(each for each in buttons if each["value"] == wanted)
        return {**action, "text": button["text"], "value": wanted}
    if "options" in element:
        option = next(each for each in element["options"] if value in {None, each["value"]})
        return {**action, "selected_option": option}
    if element["type"] == "button":
        action["text"] = element["text"]
    return action | ({"value": element["value"]} if "value" in element else {})


def _entered(element: Json, value: str | None) -> Json:
    """Give an input's state as a view's submission carries it."""
    if "options" in element:
        for option in element["options"]:
            if option["value"] == value:
                return {"type": element["type"], "selected_option": copy.deepcopy(option)}
        return {"type": element["type"], "selected_option": element.get("initial_option")}
    return {"type": element["type"], "value": value or element.get("initial_value")}
