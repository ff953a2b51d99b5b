"""Leave to ask hosts: one job at a time, whichever worker it is of, and the pace goes with it."""

from __future__ import annotations

import pytest
from procrastinate import App

from crawler.cluster.heart import Heart, Times
from crawler.cluster.leases import Leases
from crawler.permit import Refused


async def job(app: App, number: int, *, worker: int | None = None, alive: bool = True) -> Leases:
    """Return the leases of a job, of a new worker where none is named."""
    worker = await app.job_manager.register_worker() if worker is None else worker
    return Leases(app, worker, number, lambda: alive)


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
