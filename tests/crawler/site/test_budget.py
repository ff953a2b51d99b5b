"""What one site's run may cost."""

from __future__ import annotations

import asyncio

from crawler.config.settings import Settings
from crawler.site.budget import Budget


async def test_requests_are_counted_and_their_end_is_said_once() -> None:
    said: list[str] = []
    budget = Budget(Settings(max_requests=2), said.append)
    for _ in range(4):
        budget.request()
    assert said == ["the 2 requests it may take a run (max_requests) are spent"]


async def test_the_time_ends_by_itself() -> None:
    over = asyncio.get_running_loop().create_future()
    budget = Budget(Settings(max_seconds=0.01), over.set_result)
    budget.start()
    assert "max_seconds" in await over


async def test_nothing_comes_after_it_was_stopped() -> None:
    said: list[str] = []
    budget = Budget(Settings(max_seconds=0.01), said.append)
    budget.start()
    budget.stop()
    after = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.02, after.set_result, None)
    await after
    assert said == []


async def test_without_a_limit_it_never_ends() -> None:
    said: list[str] = []
    budget = Budget(Settings(), said.append)
    budget.start()
    for _ in range(1000):
        budget.request()
    assert said == []
