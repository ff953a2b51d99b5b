"""``slugline`` as a process of its own: commands to their end, and ``serve`` while it is needed."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

_COMMAND = (sys.executable, "-c", "from crawler.cli import main; main()")
#: Times that a new server is asked whether it has read everything: some milliseconds each.
_MOST_ASKED = 5_000


async def slugline(*words: str | Path) -> str:
    """Run a command that must end well, and return what it wrote to stderr."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, *map(str, words), stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


@asynccontextmanager
async def served(mirror: Path) -> AsyncIterator[str]:
    """Serve a mirror while the context is entered; gives the address, once all can be searched."""
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, "serve", "--mirror", str(mirror), "--port", "0", stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        said = (await process.stderr.readline()).decode()
        address = said.partition(" served at ")[2].partition(" ")[0].rstrip("/")
        assert address, said
        await _all_read(address)
        yield address
    finally:
        process.terminate()
        rest = (await process.communicate())[1].decode()
    assert (process.returncode, rest) == (0, ""), rest


async def _all_read(address: str) -> None:
    async with aiohttp.ClientSession() as session:
        for _ in range(_MOST_ASKED):
            async with session.get(f"{address}/search?q=a") as answer:
                if 'class="note"' not in await answer.text():
                    return
    raise AssertionError("the server still says that it has not read all texts")
