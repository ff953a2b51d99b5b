"""Starting the processes that read, and the lines to them.

To start takes them as long as it takes the run to import its own parts: a command that knows that
it will need them starts them first. So nothing of the run's is imported here.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

#: Processes that are started for a number nobody has looked at yet: as many as settings allow.
MOST = 64

#: What `ahead` started for the run within it, until that run takes it.
_AHEAD: ContextVar[list[Started]] = ContextVar("ahead")


class Sockets:
    """The two sockets of one side; ``numbers`` is how a child is told of its own."""

    def __init__(self, talk: socket.socket, files: socket.socket) -> None:
        self.talk = talk
        self.files = files

    @property
    def numbers(self) -> tuple[int, int]:
        """The descriptors."""
        return self.talk.fileno(), self.files.fileno()

    @classmethod
    def pair(cls) -> tuple[Sockets, Sockets]:
        """Make both sides. Raises OSError."""
        talk = socket.socketpair()
        try:
            files = socket.socketpair()
        except OSError:
            for side in talk:
                side.close()
            raise
        return cls(talk[0], files[0]), cls(talk[1], files[1])

    @classmethod
    def of(cls, talk: int, files: int) -> Sockets:
        """Take over the descriptors that a parent left open."""
        return cls(socket.socket(fileno=talk), socket.socket(fileno=files))

    def close(self) -> None:
        """Close both sockets."""
        self.talk.close()
        self.files.close()


@dataclass(frozen=True)
class Started:
    """Processes on their way: our sides of the lines to them, and the one that makes the others."""

    lines: tuple[Sockets, ...]
    first: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End them at once, and see to it that they are gone: they hold nothing to be saved."""
        with suppress(ProcessLookupError):
            os.killpg(self.first.pid, signal.SIGKILL)
        self.first.wait()


def start(processes: int) -> Started:
    """Start so many. Raises OSError where the system gives no more."""
    pairs: list[tuple[Sockets, Sockets]] = []
    try:
        pairs += (Sockets.pair() for _ in range(processes))
        first = _spawn([number for _, theirs in pairs for number in theirs.numbers])
    except OSError:
        for ours, _ in pairs:
            ours.close()
        raise
    finally:
        for _, theirs in pairs:
            theirs.close()
    return Started(tuple(ours for ours, _ in pairs), first)


def started(processes: int) -> Started:
    """Return those that `ahead` started, if no one has taken them, or start so many.

    Raises OSError.
    """
    waiting = _AHEAD.get(None)
    return waiting.pop() if waiting else start(processes)


@contextmanager
def ahead(processes: int | None) -> Iterator[Started | None]:
    """Start so many now for a run within, which may not come to need them: it asks `started`.

    None for a number of which settings make one process or an error, and where the system gives no
    more: that is for the run to say.
    """
    early = None
    if processes is not None and 1 < processes <= MOST:
        with suppress(OSError):
            early = start(processes)
    token = _AHEAD.set([] if early is None else [early])
    try:
        yield early
    finally:
        _AHEAD.reset(token)
        if early is not None and early.first.returncode is None:
            early.kill()
            for ours in early.lines:
                ours.close()


def _spawn(numbers: list[int]) -> subprocess.Popen[bytes]:
    """Start the processes in a session of their own: Ctrl-C is the run's to hear.

    They import from where we did, and from nowhere else: the current folder may be anybody's.
    """
    path = os.pathsep.join(each or str(Path.cwd()) for each in sys.path)
    return subprocess.Popen(  # noqa: S603  - our own module, by our own interpreter
        [sys.executable, "-P", "-m", "crawler.readers", *map(str, numbers)],
        env=os.environ | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        pass_fds=numbers,
        start_new_session=True,
    )
