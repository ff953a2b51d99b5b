"""The one writer: a lock that the system holds for a process, and releases when it dies.

No takeover and no time-out: a lock file left behind is not a lock. What stands in the file is for
the message only.
"""

from __future__ import annotations

import fcntl
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from msgspec import Struct

from storage.errors import LockHeld, NotAMirror, os_errors
from storage.layout import LOCK
from storage.times import format_utc


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds a lock: a process id and when it took the lock, RFC 3339."""

    pid: int
    started: str


class WriterLock:
    """The lock of one mirror, as a context manager; its state is the open file that holds it."""

    def __init__(self, root: Path, now: datetime) -> None:
        """``root`` is the mirror's folder, which must be there; ``now`` is for the message."""
        self._root = root
        self._path = root / LOCK
        self._holder = Holder(pid=os.getpid(), started=format_utc(now))
        self._held: int | None = None

    def take(self) -> None:
        """Take the lock at once or raise LockHeld.

        Raises NotAMirror where the folder is not there, ReadOnly where it can't be written.
        """
        if not self._root.is_dir():
            raise NotAMirror(self._root, "there is no such folder")
        with os_errors(f"taking the lock {self._path}"):
            # Of the open file and not of the process: a second writer in this one is refused too.
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.truncate(descriptor, 0)
                os.write(descriptor, msgspec.json.encode(self._holder))
            except BlockingIOError:
                os.close(descriptor)
                holder = read_holder(self._root)
                pid, started = (holder.pid, holder.started) if holder else (None, "")
                raise LockHeld(self._root, pid, started) from None
            except BaseException:
                os.close(descriptor)
                raise
            self._held = descriptor

    def release(self) -> None:
        """Give the lock back; the file stays, since taking it away would let two in."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def __enter__(self) -> Self:
        self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def read_holder(root: Path) -> Holder | None:
    """Return what the last writer left in the lock file, or None where that can't be read."""
    try:
        return msgspec.json.decode((root / LOCK).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
