"""The three standard streams, made fit to be written to: whatever becomes of them, a run goes on.

A run keeps data that can't be fetched twice; that nobody listens any more is no reason to stop it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO, cast


class Heedless:
    """A text stream that swallows what its descriptor refuses: a closed pipe, a full disk."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write ``text``, if that can be done; returns its length."""
        try:
            return self._stream.write(text)
        except OSError:
            return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write each of ``lines``, if that can be done."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Flush, if that can be done."""
        try:
            self._stream.flush()
        except OSError:
            # What is left in the buffer would be tried again, and fail, when Python ends.
            point_nowhere(self._stream)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def prepare() -> None:
    """Open what the caller closed, and make stderr heedless: it holds words, never results."""
    while (opened := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004  - stdin, stdout, stderr
        pass
    os.close(opened)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))
    sys.stderr = cast("TextIO", Heedless(sys.stderr))


def point_nowhere(stream: TextIO) -> None:
    """Let ``stream`` write to nobody from now on, what is in its buffer too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
