"""How a call is refused."""

from typing import Final

from .json_types import Json

# The published schemas list each method's own errors alone; these every method may give, as its
# page on docs.slack.dev says.
COMMON: Final = frozenset(
    {
        "access_denied",
        "accesslimited",
        "account_inactive",
        "deprecated_endpoint",
        "ekm_access_denied",
        "enterprise_is_restricted",
        "fatal_error",
        "internal_error",
        "invalid_arg_name",
        "invalid_arguments",
        "invalid_array_arg",
        "invalid_auth",
        "invalid_charset",
        "invalid_form_data",
        "invalid_json",
        "invalid_post_type",
        "method_deprecated",
        "missing_post_type",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_access_not_granted",
        "team_added_to_org",
        "token_expired",
        "token_revoked",
        "two_factor_setup_required",
        "unknown_method",
    }
)

# What the world does to a careful app. Every other refusal is a violation: the app's own mistake.
NO_FAULT_OF_THE_APP: Final = frozenset(
    {
        "account_inactive",
        "channel_not_found",
        "hash_conflict",
        "invalid_auth",
        "is_archived",
        "message_not_found",
        "not_authed",
        "not_in_channel",
        "ratelimited",
        "restricted_action_thread_locked",
        "team_not_found",
        "thread_not_found",
        "token_revoked",
        "user_not_found",
        "user_not_in_channel",
    }
)


class Refused(Exception):
    """`{"ok": false, "error": ...}`, with what else the answer says."""

    def __init__(self, error: str, **more: object) -> None:
        super().__init__(error)
        self.error = error
        self.more: Json = dict(more)


# Errors that a method gives though its schema does not list them, with a report of each.
UNPUBLISHED: Final = {
    "chat.postMessage": {"thread_not_found"},  # bolt-js#2307
    "chat.update": {"msg_blocks_too_long"},  # of the same kind as chat.postMessage's
    "chat.postEphemeral": {"msg_blocks_too_long", "thread_not_found"},
}


def invalid_arguments(*messages: str) -> Refused:
    return Refused(
        "invalid_arguments",
        response_metadata={"messages": [f"[ERROR] {message}" for message in messages]},
    )
