"""Text of articles on a terminal: what the terminal would act upon is shown as an escape.

Only what goes to a terminal comes through here. Pipes and JSON get every character as it is.
"""

import re

# C0 and C1 controls but tab and line feed (and CRLF, a line break like any other), the controls
# that turn the direction of writing, line and paragraph separators, surrogates, and tags.
_ACTS = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
_NAME_ACTS = re.compile(f"[\t\r\n]|{_ACTS.pattern}")


def visible(text: str) -> str:
    r"""Show controls as escapes such as «\x1b»; line breaks and tabs stay."""
    return _ACTS.sub(_escape, text)


def acts_on_terminal(text: str) -> bool:
    return _ACTS.search(text) is not None


def safe_name(path: str) -> str:
    r"""Show a file name on one line, in any output: bytes that are not UTF-8 as «\xe9»."""
    shown = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return _NAME_ACTS.sub(_escape, shown)


def _escape(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
