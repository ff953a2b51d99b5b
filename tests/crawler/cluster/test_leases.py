"""Leave to ask hosts: one job at a time, whichever worker it is of, and the pace goes with it."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from procrastinate import App
from procrastinate.jobs import Job, Status

from crawler.cluster.heart import Heart, Times
from crawler.cluster.leases import Leases
from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import enqueue_site
from crawler.politeness.permit import Refused
from tests.crawler.cluster.cutting import cut_once

HELD = "SELECT 1 FROM slugline_hosts"


async def fetched(app: App, number: int, worker: int | None = None) -> Job:
    """Queue a site, and have a worker take it: a new one where none is named."""
    worker = await app.job_manager.register_worker() if worker is None else worker
    await enqueue_site(app, f"http://{number}.example/")
    job = await app.job_manager.fetch_job(queues=None, worker_id=worker)
    assert job is not None
    return job


def of(app: App, job: Job, *, alive: bool = True) -> Leases:
    assert job.worker_id is not None
    assert job.id is not None
    return Leases(app, job.worker_id, job.id, lambda: alive)


async def job(app: App, number: int, *, worker: int | None = None, alive: bool = True) -> Leases:
    """Return the leases of a job, of a new worker where none is named."""
    return of(app, await fetched(app, number, worker), alive=alive)


async def test_a_jobs_own_host_is_nobody_elses_until_it_ends(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80") as first, two.own("a:80") as second:
        assert (first, second) == (0, None)
    async with two.own("a:80") as third:
        assert third == 0


async def test_two_jobs_of_one_worker_keep_out_of_each_others_way(app: App) -> None:
    worker = await app.job_manager.register_worker()
    one, two = await job(app, 1, worker=worker), await job(app, 2, worker=worker)
    async with one.own("a:80"), two.own("a:80") as second:
        assert second is None


async def test_the_next_one_waits_as_long_as_the_last_would_have(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80"):
        await one.begin("a:80")
        one.end("a:80", wait=7.0)
    async with two.own("a:80") as wait:
        assert wait is not None
        assert 6 < wait <= 7


async def test_another_host_is_taken_when_it_is_asked_and_free_after_the_job(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80"):
        assert await one.begin("cdn:443") == 0
        one.end("cdn:443", wait=0)
        async with two.own("cdn:443") as taken:
            assert taken is None
    async with two.own("cdn:443") as taken:
        assert taken == 0


async def test_a_host_that_asked_to_be_left_alone_for_long_is_refused_and_free(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("cdn:443"):
        await one.begin("cdn:443")
        one.end("cdn:443", wait=600)
    async with two.own("a:80"):
        with pytest.raises(Refused, match=r"left alone for \d{3} s more"):
            await two.begin("cdn:443")
        async with one.own("cdn:443") as wait:
            assert wait is not None
            assert wait > 590


async def test_who_can_not_reach_the_queue_asks_nobody(app: App) -> None:
    cut = await job(app, 1, alive=False)
    async with cut.own("a:80"):
        with pytest.raises(Refused, match="another worker may be asking it"):
            await cut.begin("a:80")
    assert cut.gave_up


async def test_a_dead_workers_hosts_are_free_when_it_is_buried(app: App) -> None:
    dead = await app.job_manager.register_worker()
    one, two = await job(app, 1, worker=dead), await job(app, 2)
    async with one.own("a:80"):
        await Heart(app, Times(dead=-1)).bury()
        two = await job(app, 2)
        async with two.own("a:80") as taken:
            assert taken is not None


async def test_a_job_keeps_the_pace_that_its_host_was_left_with(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80"):
        await one.begin("a:80")
        one.end("a:80", wait=7.0)
    async with two.own("a:80"):
        assert 6 < await two.begin("a:80") <= 7


async def test_a_give_back_that_is_cut_is_made_again_with_its_pace(
    place: QueuePlace, app: App
) -> None:
    one, two, ends = await job(app, 1), await job(app, 2), AsyncExitStack()
    async with one.own("a:80"):
        await one.begin("a:80")
        one.end("a:80", wait=60.0)
        await ends.enter_async_context(cut_once(place, HELD))
    await ends.aclose()
    async with two.own("a:80") as wait:
        assert wait is not None
        assert 50 < wait <= 60


async def test_what_the_queue_says_no_job_does_is_freed_and_rests(app: App) -> None:
    ended = await fetched(app, 1)
    two = await job(app, 2)
    async with of(app, ended).own("a:80"):
        await app.job_manager.finish_job(ended, Status.SUCCEEDED, delete_job=True)
        await Heart(app, Times(dead=3600)).bury()
        async with two.own("a:80") as wait:
            assert wait is not None
            assert 5 < wait <= 10


async def test_what_a_job_of_a_living_worker_holds_stays_its(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80"):
        await Heart(app, Times(dead=3600)).bury()
        async with two.own("a:80") as taken:
            assert taken is None


async def test_a_host_that_another_job_has_is_waited_for_and_had_when_it_is_free(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with two.own("b:80"), AsyncExitStack() as first:
        await first.enter_async_context(one.own("a:80"))
        waiting = asyncio.ensure_future(two.begin("a:80"))
        await asyncio.wait([waiting], timeout=0.2)
        assert not waiting.done()
        await first.aclose()
        assert await waiting == 0


async def test_a_host_that_another_job_keeps_is_left_for_later(app: App) -> None:
    alive = [True]
    one, taken = await job(app, 1), await fetched(app, 2)
    assert taken.worker_id is not None
    assert taken.id is not None
    two = Leases(app, taken.worker_id, taken.id, lambda: alive[0])
    async with one.own("a:80"), two.own("b:80"):
        waiting = asyncio.ensure_future(two.begin("a:80"))
        await asyncio.wait([waiting], timeout=0.1)
        alive[0] = False
        with pytest.raises(Refused, match="another worker is reading from it; left for later"):
            await waiting
    assert two.gave_up


async def test_two_requests_to_one_host_take_it_once(app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with one.own("a:80"), two.own("b:80"):
        waits = await asyncio.gather(*(one.begin("cdn:443") for _ in range(3)))
        assert waits == [0, 0, 0]
        for _ in waits:
            one.end("cdn:443", wait=0)


async def test_a_queue_that_is_away_gives_no_host(place: QueuePlace, app: App) -> None:
    one, two = await job(app, 1), await job(app, 2)
    async with two.own("cdn:443"):
        pass
    async with one.own("a:80"), cut_once(place, HELD):
        with pytest.raises(Refused, match="the queue can't be reached"):
            await one.begin("cdn:443")
    assert one.gave_up
