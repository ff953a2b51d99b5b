"""One Chromium a session, and a newsroom's mirror that it reads.

The browser is what SLUGLINE_BROWSER names, else ``chromium`` on the PATH. Without one these tests
are skipped; with the variable (.ci/test sets it) a missing browser is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.newsroom import Read, read_newsroom
from tests.browser.pages import PATIENCE
from tests.browser.serving import served

#: Chromium asks its maker's servers for nothing, and needs no sandbox of its own in a container.
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


def _chromium() -> str:
    named = os.environ.get("SLUGLINE_BROWSER")
    found = shutil.which(named or "chromium")
    if found is None and named:
        pytest.fail(f"SLUGLINE_BROWSER is {named}, and there is no such program")
    if found is None:
        pytest.skip("no chromium here: install it, or name a browser in SLUGLINE_BROWSER")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = _chromium()
    expect.set_options(timeout=PATIENCE)
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield running
        await running.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def newsroom(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Read]:
    """Serve the mirror of a newsroom that has edited its stories, openly and in silence."""
    root: Path = tmp_path_factory.mktemp("newsroom") / "mirror"
    read = await read_newsroom(root)
    async with served(root) as address:
        yield read.at(address)
