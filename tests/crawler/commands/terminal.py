"""Calls the command line as a person does: in a process of its own, at a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path


def at_terminal(*arguments: str | Path) -> tuple[int, str]:
    """Return the exit code, and all that the terminal was sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from crawler.cli import main; main()", *map(str, arguments)]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        sent = _all(ours)
    os.close(ours)
    return process.returncode, sent.decode()


def _all(terminal: int) -> bytes:
    """Read until nobody has the other end; Linux says so by an error."""
    parts = []
    try:
        while part := os.read(terminal, 1 << 16):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)
