"""What articles' pages are asked for with, read from the archive ahead of need.

One question to the index an article would cost more than the answer is worth: the first entry that
needs its validator has those of the next some hundred read with its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from storage.archive import Archive
from storage.model import Validator
from storage.writer import Writer


class Ahead:
    """Validators of one site. Mutable state: those read and not yet given, URLs waited for."""

    def __init__(self, writer: Writer, upcoming: Callable[[], Iterable[str]]) -> None:
        """``upcoming`` gives the URLs that will be asked about next, as far as that is known."""
        self._writer = writer
        self._upcoming = upcoming
        self._read: dict[str, Validator | None] = {}
        self._waiting: set[str] = set()
        self._lock = asyncio.Lock()

    async def validator(self, url: str) -> Validator | None:
        """Return what to ask ``url`` with, once; None: nothing is known that a server can judge."""
        if url not in self._read:
            self._waiting.add(url)
            async with self._lock:
                # Whoever had the lock before may have read it along.
                if url not in self._read:
                    await self._look()
            self._waiting.discard(url)
        found = self._read.pop(url, None)
        return found if found is not None and (found.etag or found.last_modified) else None

    async def _look(self) -> None:
        """Read for all that wait, and for what comes next; what nobody came for is forgotten."""
        urls = {*self._waiting, *self._upcoming()}
        found = await self._writer.read(Archive.validators, urls)
        self._read = {url: found.get(url) for url in urls}
