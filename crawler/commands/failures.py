"""How a command ends: every error becomes one sentence on stderr and an exit code.

The codes are a contract that scripts rely on (README, "Exit codes"). Errors of ours carry theirs
as ``exit_code``; anything else is a bug, and says so.
"""

from __future__ import annotations

import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, ParamSpec, TypeVar

import typer

from crawler.commands.streams import point_nowhere

P = ParamSpec("P")
T = TypeVar("T")

WELL, FAILED, WRONG_INPUT, BUSY, DAMAGED, INTERRUPTED = 0, 1, 2, 3, 4, 130
#: What writing to stdout may end with; of files it is storage's to say, by name.
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF})
BUG = 70  # sysexits.h EX_SOFTWARE: an internal error, apart from every code of the contract
#: What each code tells a script.
MEANINGS = {
    WELL: "All well, or only failures that the run before had too (--strict counts them).",
    FAILED: "A site or articles failed newly (a partial snapshot counts), or the disk did.",
    WRONG_INPUT: "Wrong usage, settings, input or permissions; nothing was created.",
    BUSY: "Another run is writing this mirror.",
    DAMAGED: "Damage found in the archive; nothing was changed.",
    BUG: "A bug in slugline.",
    INTERRUPTED: "Interrupted, and saved.",
}


class UsageError(ValueError):
    """The user's fault: a sentence that names the thing and what to do about it."""

    exit_code: ClassVar[int] = WRONG_INPUT


def complain(sentence: str) -> None:
    """Write a message to stderr, each of its lines under the command's name."""
    sys.stderr.writelines(f"slugline: {line}\n" for line in sentence.splitlines())
    sys.stderr.flush()


def guarded(command: Callable[P, T]) -> Callable[P, T]:
    """Make ``command`` end as this module promises."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with _endings():
            result = command(*args, **kwargs)
            sys.stdout.flush()
            return result

    return run


@contextmanager
def wrong_input(*kinds: type[Exception], prefix: str = "") -> Iterator[None]:
    """Turn ``kinds``, raised over something the user gave, into a UsageError."""
    try:
        yield
    except kinds as error:
        raise UsageError(f"{prefix}{error}") from error


@contextmanager
def _endings() -> Iterator[None]:
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except KeyboardInterrupt:
        complain("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # stdout's reader (``head``) had enough, and Python flushes at exit.
        point_nowhere(sys.stdout)
        raise typer.Exit(WELL) from None
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM and error.filename is None:
            point_nowhere(sys.stdout)
            complain(f"the output could not be written: {error.strerror}")
            raise typer.Exit(FAILED) from None
        code = getattr(error, "exit_code", None)
        if isinstance(code, int):
            complain(str(error))
            raise typer.Exit(code) from None
        if os.environ.get("SLUGLINE_DEBUG") == "1":
            raise
        complain(_bug(error))
        raise typer.Exit(BUG) from None


def _bug(error: Exception) -> str:
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    return f"{what}. This is a bug, not yours: SLUGLINE_DEBUG=1 shows where it happened"
