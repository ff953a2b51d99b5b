"""The one writer: a lock that the system holds for a process, and releases when it dies.

No takeover and no time-out: a lock file left behind is not a lock. What stands in the file is for
the message only.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
from filelock import FileLock, Timeout
from msgspec import Struct

from storage.errors import LockHeld, NotAMirror, os_errors
from storage.layout import LOCK
from storage.times import format_utc


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds a lock: a process id and when it took the lock, RFC 3339."""

    pid: int
    started: str


class WriterLock:
    """The lock of one mirror, as a context manager; its state is the lock itself."""

    def __init__(self, root: Path, now: datetime) -> None:
        """``root`` is the mirror's folder, which must be there; ``now`` is for the message."""
        self._root = root
        self._path = root / LOCK
        self._holder = Holder(pid=os.getpid(), started=format_utc(now))
        # Held by the object and not by a thread: the writer opens in one and may close in another.
        self._lock = FileLock(self._path, blocking=False, thread_local=False)

    def take(self) -> None:
        """Take the lock at once or raise LockHeld.

        Raises NotAMirror where the folder is not there, ReadOnly where it can't be written.
        """
        if not self._root.is_dir():
            # filelock would make the folder, and with it a mirror that nobody asked for.
            raise NotAMirror(self._root, "there is no such folder")
        with os_errors(f"taking the lock {self._path}"):
            try:
                self._lock.acquire()
            except Timeout:
                holder = read_holder(self._root)
                pid, started = (holder.pid, holder.started) if holder else (None, "")
                raise LockHeld(self._root, pid, started) from None
            with self._path.open("r+b") as file:
                file.truncate()
                file.write(msgspec.json.encode(self._holder))

    def release(self) -> None:
        """Give the lock back; the file stays, since taking it away would let two in."""
        self._lock.release()

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
