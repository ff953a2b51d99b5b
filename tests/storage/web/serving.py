"""A server on loopback over a mirror that a test made, and a client that follows nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from msgspec import Struct
from multidict import CIMultiDictProxy
from yarl import URL

from storage.web.server import ServeSettings, Serving

#: Seconds until a catalogue of a few articles is made: only a hung thread takes as long.
_LISTED_SECONDS = 20


class Got(Struct, frozen=True):
    """An answer as it came."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def type(self) -> str:
        return self.headers["Content-Type"].partition(";")[0]


class Client(Struct, frozen=True):
    """Asks one server."""

    address: str
    session: aiohttp.ClientSession

    async def get(self, path: str, method: str = "GET", **headers: str) -> Got:
        """Ask for a path exactly as it is written; ``_`` in a header's name stands for ``-``."""
        url = URL(self.address + path, encoded=True)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.session.request(
            method, url, headers=named, allow_redirects=False
        ) as answer:
            return Got(answer.status, answer.headers, await answer.read())

    async def text(self, path: str) -> str:
        """Return a page that must be there."""
        got = await self.get(path)
        assert got.status == 200, got.text
        return got.text


@asynccontextmanager
async def client_of(root: Path, **more: Any) -> AsyncIterator[Client]:
    """Serve a mirror while the context is entered, once its lists are made."""
    settings = ServeSettings(root=root, port=0, **more)
    async with Serving(settings).listening() as serving, aiohttp.ClientSession() as session:
        wait = serving.follower.caught_up.wait
        assert await asyncio.get_running_loop().run_in_executor(None, wait, _LISTED_SECONDS)
        yield Client(serving.address, session)
