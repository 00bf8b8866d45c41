"""`views.*`: modals and the Home tab."""

import copy
import json
from typing import Final

from .blocks import check_view
from .chat import as_stored, parsed
from .errors import Refused, invalid_arguments
from .json_types import Json
from .workspace import APP, BOT, TEAM, Shown, Workspace

LARGEST_VIEW: Final = 250 * 1024
LARGEST_STACK: Final = 3


def open_(space: Workspace, arguments: Json) -> Json:
    """`views.open`: needs a trigger that is younger than 3 s and was not used before."""
    view = _checked(arguments["view"], kind="modal")
    _check_external_id(space, view)
    trigger = space.use_trigger(str(arguments.get("trigger_id")))
    close_views(space, trigger.user)
    stored = new_view(space, trigger.user, view)
    space.shown.append(Shown("open", trigger.user, copy.deepcopy(stored)))
    return {"view": copy.deepcopy(stored)}


def push(space: Workspace, arguments: Json) -> Json:
    """`views.push`: a modal on a modal, three deep at most."""
    view = _checked(arguments["view"], kind="modal")
    trigger = space.use_trigger(str(arguments.get("trigger_id")))
    stored = push_view(space, trigger.user, view)
    return {"view": copy.deepcopy(stored)}


def update(space: Workspace, arguments: Json) -> Json:
    """`views.update`: a view that is open, by its id or external id."""
    view = _checked(arguments["view"], kind="modal")
    view_id = arguments.get("view_id") or _by_external_id(space, arguments.get("external_id"))
    if view_id not in space.views:
        raise Refused("not_found")
    if arguments.get("hash") not in (None, space.views[view_id]["hash"]):
        raise Refused("hash_conflict")
    stored = replace_view(space, str(view_id), view)
    return {"view": copy.deepcopy(stored)}


def publish(space: Workspace, arguments: Json) -> Json:
    """`views.publish`: a user's Home tab."""
    view = _checked(arguments["view"], kind="home")
    user = arguments["user_id"]
    if user not in space.users:
        raise invalid_arguments("invalid user_id")
    view_id = f"VHOME{user}"
    before = space.views.get(view_id)
    if before and arguments.get("hash") not in (None, before["hash"]):
        raise Refused("hash_conflict")
    stored = _stored(space, view, view_id=view_id, root=view_id, previous=None)
    space.views[view_id], space.view_users[view_id] = stored, user
    space.shown.append(Shown("publish", user, copy.deepcopy(stored)))
    return {"view": copy.deepcopy(stored)}


def new_view(space: Workspace, user: str, view: Json) -> Json:
    """Open a modal; it takes the place of what the user had open."""
    view_id = space.new_id("V")
    stored = _stored(space, view, view_id=view_id, root=view_id, previous=None)
    space.views[view_id], space.view_users[view_id] = stored, user
    return stored


def push_view(space: Workspace, user: str, view: Json) -> Json:
    """Put a modal on top of the user's newest one."""
    _check_external_id(space, view)
    mine = [v for k, v in space.views.items() if space.view_users[k] == user]
    modals = [v for v in mine if v["type"] == "modal"]
    if not modals:
        raise Refused("not_found")
    top = modals[-1]
    if sum(v["root_view_id"] == top["root_view_id"] for v in modals) >= LARGEST_STACK:
        raise Refused("push_limit_reached")
    view_id = space.new_id("V")
    stored = _stored(space, view, view_id=view_id, root=top["root_view_id"], previous=top["id"])
    space.views[view_id], space.view_users[view_id] = stored, user
    space.shown.append(Shown("push", user, copy.deepcopy(stored)))
    return stored


def replace_view(space: Workspace, view_id: str, view: Json) -> Json:
    """Show other content in a view that is open."""
    old = space.views[view_id]
    stored = _stored(
        space, view, view_id=view_id, root=old["root_view_id"], previous=old["previous_view_id"]
    )
    space.views[view_id] = stored
    space.shown.append(Shown("update", space.view_users[view_id], copy.deepcopy(stored)))
    return stored


def close_views(space: Workspace, user: str) -> None:
    """Close all of a user's modals."""
    for view_id in [k for k, v in space.views.items() if v["type"] == "modal"]:
        if space.view_users[view_id] == user:
            del space.views[view_id], space.view_users[view_id]


def _checked(given: object, *, kind: str) -> Json:
    view = parsed(given, "invalid_arguments")
    check_view(view)
    assert isinstance(view, dict)
    if view["type"] != kind:
        raise invalid_arguments(f"must be of type {kind}: view")
    if len(json.dumps(view).encode()) > LARGEST_VIEW:
        raise Refused("view_too_large")
    return view


def _check_external_id(space: Workspace, view: Json) -> None:
    if view.get("external_id") and _by_external_id(space, view["external_id"]):
        raise Refused("duplicate_external_id")


def _by_external_id(space: Workspace, external_id: object) -> str | None:
    for view_id, view in space.views.items():
        if external_id and view["external_id"] == external_id:
            return view_id
    return None


def _stored(space: Workspace, view: Json, *, view_id: str, root: str, previous: str | None) -> Json:
    """Give a view as Slack stores it; the shape is that of the examples in its schema."""
    filled = {**view, "blocks": as_stored(view["blocks"])}
    return {
        "id": view_id,
        "team_id": TEAM,
        "callback_id": "",
        "private_metadata": "",
        "external_id": "",
        "title": None,
        "submit": None,
        "close": None,
        "clear_on_close": False,
        "notify_on_close": False,
        "state": {"values": {}},
        **filled,
        "hash": f"{space.next_ts()}.{space.dice.getrandbits(32):08x}",
        "root_view_id": root,
        "previous_view_id": previous,
        "app_id": APP,
        "app_installed_team_id": TEAM,
        "bot_id": BOT,
    }
