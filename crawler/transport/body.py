"""A body, read within its bounds: size, silence, slowness, and the length it was announced with.

Transfer coding is taken off by aiohttp (RFC 9112 section 7), content coding is kept. A small
body is one read. A large one goes to a nameless temporary file, and comes back as a
view of it that costs no memory; the file vanishes with the view, or with the process.
"""

from __future__ import annotations

import mmap
import time
from contextlib import AsyncExitStack
from typing import Protocol

from aiofiles import tempfile

from crawler.transport.answer import FetchSettings
from crawler.transport.faults import FetchError, size_text
from crawler.transport.wire import Reply


class _File(Protocol):
    """The part of an aiofiles file that is used here."""

    async def write(self, data: bytes, /) -> int: ...
    async def flush(self) -> None: ...
    def fileno(self) -> int: ...


async def read_body(
    url: str, reply: Reply, settings: FetchSettings, cut_at: int | None
) -> tuple[bytes | memoryview, bool]:
    """Read the body of ``reply`` to its end, or to ``cut_at`` bytes.

    Returns it and whether it was cut. Raises FetchError past a bound, and lets aiohttp's errors
    through. The connection is free again afterwards, or closed when something is left unread.
    """
    length = reply.content_length
    if cut_at is None and length is not None and length > settings.max_body:
        raise _too_large(url, settings, f"announces {size_text(length)}")
    content = reply.content
    first = content.read_nowait() if content.is_eof() else await content.readany()
    if content.at_eof() and len(first) <= min(settings.max_body, cut_at or settings.max_body):
        return first, False
    async with AsyncExitStack() as stack:
        return await _Reading(url, reply, settings, cut_at).rest(first, stack)


class _Reading:
    """The state of one long body: pieces not yet put aside, the file, the bytes so far."""

    def __init__(self, url: str, reply: Reply, settings: FetchSettings, cut_at: int | None) -> None:
        self._url = url
        self._reply = reply
        self._settings = settings
        self._cut_at = cut_at
        self._began = time.monotonic()
        self._pieces: list[bytes] = []
        self._held = 0
        self._size = 0
        self._file: _File | None = None

    async def rest(self, piece: bytes, stack: AsyncExitStack) -> tuple[bytes | memoryview, bool]:
        content = self._reply.content
        while piece or not content.at_eof():
            if self._cut_at is not None and self._size + len(piece) > self._cut_at:
                self._take(piece[: self._cut_at - self._size])
                return await self._done(), True
            self._take(piece)
            self._check()
            if self._held > self._settings.spool_bytes:
                await self._put_aside(stack)
            piece = await content.readany()
        return await self._done(), False

    def _take(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._held += len(piece)
        self._size += len(piece)

    def _check(self) -> None:
        settings = self._settings
        if self._size > settings.max_body:
            raise _too_large(self._url, settings, f"goes on after {size_text(self._size)}")
        seconds = time.monotonic() - self._began
        if seconds > settings.slow_grace and self._size < settings.min_transfer_rate * seconds:
            raise FetchError(
                self._url,
                "slow",
                f"the answer came too slowly: {size_text(self._size)} in {seconds:.0f} seconds,"
                f" less than {size_text(settings.min_transfer_rate)} a second",
            )

    async def _put_aside(self, stack: AsyncExitStack) -> None:
        whole = b"".join(self._pieces)
        self._pieces.clear()
        self._held = 0
        try:
            if self._file is None:
                self._file = await stack.enter_async_context(tempfile.TemporaryFile("w+b"))
            await self._file.write(whole)
            await self._file.flush()
        except OSError as error:
            raise FetchError(
                self._url,
                "spool",
                f"a large body could not be put aside here: {error.strerror or error}",
            ) from error

    async def _done(self) -> bytes | memoryview:
        if self._file is None:
            return b"".join(self._pieces)
        if self._pieces:
            async with AsyncExitStack() as stack:
                await self._put_aside(stack)
        return memoryview(mmap.mmap(self._file.fileno(), 0, prot=mmap.PROT_READ))


def _too_large(url: str, settings: FetchSettings, what: str) -> FetchError:
    bound = size_text(settings.max_body)
    return FetchError(url, "too-large", f"the answer {what}; the bound is {bound}")
