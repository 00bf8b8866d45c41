"""Slack's JSON really is open: an object of anything."""

from typing import Any

Json = dict[str, Any]
