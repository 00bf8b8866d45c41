"""What an ack may carry: the answer to a command, or what becomes of a modal."""

from . import response_urls, views
from .blocks import check_view
from .deliveries import Delivery
from .errors import Refused
from .json_types import Json
from .workspace import Shown, Workspace


def carry_out(space: Workspace, delivery: Delivery) -> None:
    """Do what an ack's payload asks for.

    Raises:
        Refused: the payload does not fit what was sent.
    """
    payload, response = delivery.payload, delivery.response
    if payload.get("type") == "view_submission":
        _after_submission(space, payload, response)
    elif not response:
        return
    elif delivery.kind == "slash_commands":
        key = payload["response_url"].rsplit("/", 1)[-1]
        response_urls.answer(space, space.response_urls[key], response, via="ack")
    else:
        raise Refused("unexpected_payload")


def _after_submission(space: Workspace, payload: Json, response: Json) -> None:
    user, shown = payload["user"]["id"], payload["view"]
    action = response.get("response_action")
    if action == "errors":
        inputs = {block["block_id"] for block in shown["blocks"] if block["type"] == "input"}
        if not response.get("errors") or set(response["errors"]) - inputs:
            raise Refused("invalid_errors")
        errors = {"errors": response["errors"]}
        space.shown.append(Shown("errors", user, {**shown, **errors}))
    elif action in {"update", "push"}:
        check_view(response.get("view"))
        if action == "push":
            views.push_view(space, user, response["view"])
        elif shown["id"] in space.views:
            views.replace_view(space, shown["id"], response["view"])
    elif action == "clear":
        views.close_views(space, user)
    elif response:
        raise Refused("invalid_response_action")
    else:
        space.views.pop(shown["id"], None)
        space.view_users.pop(shown["id"], None)
