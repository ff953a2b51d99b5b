"""Who lives: the dead ones' jobs go back into the queue, once; who is taken for dead hears it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from procrastinate import App

from crawler.cluster.heart import Heart, Lost, Times
from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import enqueue_site
from tests.crawler.cluster.cutting import cut_once

#: Everybody without a beat in the last hour is dead; and everybody is.
PATIENT, HASTY = Times(dead=3600), Times(dead=-1)


async def jobs(app: App) -> list[tuple[Any, ...]]:
    return [(job.status, job.worker_id) for job in await app.job_manager.list_jobs_async()]


async def taken(app: App, url: str = "http://a.example/") -> int:
    """Queue a site, have a new worker take it, and return that worker."""
    worker = await app.job_manager.register_worker()
    await enqueue_site(app, url)
    await app.job_manager.fetch_job(queues=None, worker_id=worker)
    return worker


async def test_a_dead_workers_job_goes_back_into_the_queue(app: App) -> None:
    await taken(app)
    assert await Heart(app, HASTY).bury() == 1
    assert await jobs(app) == [("todo", None)]


async def test_a_living_workers_job_stays_its(app: App) -> None:
    worker = await taken(app)
    assert await Heart(app, PATIENT).bury() == 0
    assert await jobs(app) == [("doing", worker)]


async def test_a_job_whose_site_waits_already_is_not_queued_twice(app: App) -> None:
    await taken(app)
    await enqueue_site(app, "http://a.example/")
    assert await Heart(app, HASTY).bury() == 0
    assert await jobs(app) == [("todo", None)]


async def test_jobs_are_put_back_by_one_of_those_who_look(app: App) -> None:
    await taken(app, "http://a.example/")
    await taken(app, "http://b.example/")
    assert await Heart(app, HASTY).bury() == 2
    assert await Heart(app, HASTY).bury() == 0


async def test_a_look_that_was_cut_is_made_again(place: QueuePlace, app: App) -> None:
    await taken(app)
    heart = Heart(app, Times(dead=-1, look=0.05))
    async with cut_once(place, "SELECT 1 FROM procrastinate_workers"):
        watching = asyncio.create_task(heart.watch())
    while await jobs(app) != [("todo", None)]:  # noqa: ASYNC110  - the queue tells nobody
        await asyncio.sleep(0.02)
    watching.cancel()


async def test_who_was_taken_for_dead_hears_it_at_the_next_beat(app: App) -> None:
    worker = await taken(app)
    await Heart(app, HASTY).bury()
    with pytest.raises(Lost, match="took this worker for dead"):
        await Heart(app, PATIENT).beat(worker)


async def test_who_gets_no_answer_stops_before_it_can_be_taken_for_dead(app: App) -> None:
    heart = Heart(app, Times(silence=0.0))
    with pytest.raises(Lost, match="has not answered"):
        await heart.listen()
    assert not heart.alive()


def test_a_worker_has_stopped_before_its_jobs_are_others() -> None:
    times = Times()
    assert times.silence + 2 * times.grace < times.dead
    assert times.beat < times.silence / 2
