"""A line to a PostgreSQL that can go dead: nothing comes through, and nobody is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Self

#: What a server's socket file is called, wherever it is.
_SOCKET = ".s.PGSQL.5432"


class Line:
    """Passes bytes from a socket in ``folder`` to the server's in ``server``. State: its state."""

    def __init__(self, folder: Path, server: Path) -> None:
        self.folder = folder
        self._server = server
        self._up = asyncio.Event()
        self._up.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._passing: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self.folder.mkdir()
        self._listening = await asyncio.start_unix_server(self._pass, self.folder / _SOCKET)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._listening is not None:
            self._listening.close()
        self.mend()
        await asyncio.gather(*self._passing, return_exceptions=True)

    def die(self) -> None:
        """Let nothing through any more."""
        self._up.clear()

    def mend(self) -> None:
        """Close what hangs, as a system does when it gives up, and let new ones through."""
        for writer in self._writers:
            writer.close()
        self._up.set()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._connect(reader, writer))
        self._passing.add(task)
        task.add_done_callback(self._passing.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._up.wait()
        try:
            back, forth = await asyncio.open_unix_connection(self._server / _SOCKET)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, forth}
        await asyncio.gather(self._copy(reader, forth), self._copy(back, writer))
        self._writers -= {writer, forth}

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                await self._up.wait()
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            pass  # the other end went away first
        finally:
            writer.close()
