"""The queue: a site waits once, a host is one job's, and of many clocks one is heard."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from procrastinate import App
from procrastinate.periodic import PeriodicDeferrer

from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import (
    Later,
    drop,
    enqueue_now,
    enqueue_original,
    enqueue_site,
    keep_time,
    queue_app,
    waiting_originals,
)
from crawler.cluster.roster import Roster
from crawler.config.settings import parse_config

DAY = timedelta(days=1)
#: A moment, in seconds since 1970, at which something that is due every minute was due.
TICK = 1_800_000_000


async def fetched(app: App) -> dict[str, Any] | None:
    worker = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(queues=None, worker_id=worker)
    return None if job is None else dict(job.task_kwargs)


async def test_a_site_waits_once(app: App) -> None:
    assert await enqueue_site(app, "http://a.example/")
    assert not await enqueue_site(app, "http://a.example/")


async def test_a_job_that_is_tried_again_knows_how_often_it_was_in_vain(app: App) -> None:
    await enqueue_site(app, "http://a.example/", Later(in_vain=3))
    assert await fetched(app) == {"site": "http://a.example/", "in_vain": 3}
    await enqueue_site(app, "http://b.example/", Later(wait=60, in_vain=1))
    assert await fetched(app) is None


async def test_a_site_that_waits_for_a_host_hurries_when_it_is_asked_for_by_hand(app: App) -> None:
    await enqueue_site(app, "http://a.example/")
    await enqueue_site(app, "http://b.example/", Later(wait=900, in_vain=7))
    assert not await enqueue_now(app, "http://b.example/")
    assert await fetched(app) == {"site": "http://b.example/", "in_vain": 7}


async def test_two_sites_of_one_host_are_not_read_at_once(app: App) -> None:
    await enqueue_site(app, "http://a.example/one/")
    await enqueue_site(app, "http://a.example/two/")
    await enqueue_site(app, "http://b.example/")
    assert await fetched(app) == {"site": "http://a.example/one/"}
    assert await fetched(app) == {"site": "http://b.example/"}
    assert await fetched(app) is None


async def test_what_is_asked_for_by_hand_comes_first_and_originals_last(app: App) -> None:
    await enqueue_original(app, "http://c.example/story", DAY)
    await enqueue_site(app, "http://a.example/")
    await enqueue_now(app, "http://b.example/")
    assert await fetched(app) == {"site": "http://b.example/"}
    assert await fetched(app) == {"site": "http://a.example/"}
    assert await fetched(app) == {"url": "http://c.example/story", "every": 86_400}


async def test_originals_of_one_host_can_be_done_together(app: App) -> None:
    for n in range(3):
        await enqueue_original(app, f"http://c.example/{n}", DAY)
    await enqueue_original(app, "http://d.example/", DAY)
    assert await fetched(app) == {"url": "http://c.example/0", "every": 86_400}
    waiting = await waiting_originals(app, "c.example:80")
    assert list(waiting.values()) == [("http://c.example/1", DAY), ("http://c.example/2", DAY)]
    await drop(app, waiting)
    assert await waiting_originals(app, "c.example:80") == {}


async def test_of_many_workers_clocks_one_queues_a_site(place: QueuePlace, app: App) -> None:
    text = '[defaults]\nschedule = "* * * * *"\n[[site]]\nurl = "http://a.example/"\n'
    roster = Roster(parse_config(text, {}), Path("news.toml"))

    async def tick() -> None:
        async with queue_app(place).open_async() as other:
            keep_time(other, roster)
            clock = PeriodicDeferrer(other.periodic_registry)
            await clock.defer_jobs(clock.get_previous_tasks(at=TICK + 1))

    await asyncio.gather(*(tick() for _ in range(4)))
    assert await fetched(app) == {"site": "http://a.example/", "timestamp": TICK}
    await asyncio.gather(*(tick() for _ in range(4)))
    assert await fetched(app) is None
