"""A shift's connections, cut from this side: what hangs hears that there is no answer."""

from __future__ import annotations

import asyncio

import pytest
from procrastinate.exceptions import ConnectorException

from crawler.cluster.lines import Lines
from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import Doing, queue_app
from crawler.cluster.tables import prepare

HANGING = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(600)' AND state = 'active'"


async def test_a_question_that_hangs_ends_when_the_lines_are_cut(place: QueuePlace) -> None:
    await prepare(place)
    lines = Lines()
    async with queue_app(place, Doing(lines=lines)).open_async() as app:
        ask = app.connector.execute_query_all_async
        hangs = asyncio.create_task(ask("SELECT pg_sleep(600)"))
        while not await ask(HANGING):  # noqa: ASYNC110  - the server tells nobody
            await asyncio.sleep(0.02)
        lines.cut()
        with pytest.raises(ConnectorException):
            await hangs
        assert len(await ask("SELECT 1 AS one")) == 1
        lines.cut()
    lines.cut()
