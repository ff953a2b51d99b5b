"""A queue of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from procrastinate import App

from crawler.cluster.place import QueuePlace, queue_place
from crawler.cluster.queue import queue_app
from crawler.cluster.tables import prepare
from storage.layout import Places


@pytest.fixture
def place(database: str, tmp_path: Path) -> QueuePlace:
    """Give the place of a queue that is not made yet."""
    return queue_place(database, Places(root=tmp_path))


@pytest_asyncio.fixture
async def app(place: QueuePlace) -> AsyncIterator[App]:
    """Give an open queue."""
    await prepare(place)
    async with queue_app(place).open_async() as opened:
        yield opened
