"""Standard output and error, made fit for text of every kind. Imports nothing of ours."""

import contextlib
import io
import os
import sys


def prepare_streams() -> None:
    """Let every character out: pipes get UTF-8 and no translation of line ends."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="backslashreplace")
            else:
                stream.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")


def leave_broken_pipe() -> None:
    """Make the interpreter's last flush silent after the reader of our output went away."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
