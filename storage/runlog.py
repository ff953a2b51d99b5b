"""What a run did, an event a line: ``runs/<run>.jsonl``, a report that nothing depends on.

Noting a line costs no I/O. One task writes what has gathered, one thread hop for all of it.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import aiofiles
import msgspec
from aiofiles.threadpool.binary import AsyncFileIO
from msgspec import Struct

from storage.errors import os_errors
from storage.layout import RUNS

_encode = msgspec.json.Encoder().encode

#: Seconds between two writes: each wakes a thread and the loop, also where a site is asked slowly.
_EVERY = 0.5


def path_of(root: Path, run: str) -> Path:
    """Return where the log of the run called ``run`` stands in the mirror at ``root``."""
    return root / RUNS / f"{run}.jsonl"


class RunLog:
    """The log of one run. State: the lines not yet written, the task that writes them."""

    def __init__(self, root: Path, run: str) -> None:
        """``root`` is the mirror's folder, ``run`` the run's id."""
        self._path = path_of(root, run)
        self._lines: list[bytes] = []
        self._file: AsyncFileIO | None = None
        self._ended = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        with os_errors(f"opening the run log {self._path}"):
            await asyncio.to_thread(self._path.parent.mkdir, parents=True, exist_ok=True)
            self._file = await aiofiles.open(self._path, "ab", buffering=0)
        self._task = asyncio.get_running_loop().create_task(self._write_on())
        return self

    def note(self, event: Struct) -> None:
        """Add a line for ``event``; it is on the disk within a second."""
        self._lines.append(_encode(event))

    async def _write_on(self) -> None:
        while self._lines or not self._ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _EVERY)
            await self._write()

    async def _write(self) -> None:
        if self._file is None or not self._lines:
            return
        data = b"\n".join([*self._lines, b""])
        self._lines.clear()
        with os_errors(f"writing the run log {self._path}"):
            # A full disk may take a part; the next try says why.
            while data:
                data = data[await self._file.write(data) :]

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write what is left and close; raises DiskFull, ReadOnly or StoreFailed."""
        # The task is let end and never cancelled: its thread might write after the file is closed.
        self._ended.set()
        try:
            if self._task is not None:
                await self._task
        finally:
            if self._file is not None:
                with os_errors(f"closing the run log {self._path}"):
                    await self._file.close()
