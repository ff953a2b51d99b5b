"""How a job leaves a worker's hands: one that others have taken up meanwhile is let be."""

from __future__ import annotations

from procrastinate import App
from procrastinate.jobs import Job, Status

from crawler.cluster.heart import Heart, Times
from crawler.cluster.place import QueuePlace
from crawler.cluster.queue import enqueue_site
from tests.crawler.cluster.cutting import cut_once

SITE = "http://a.example/"


async def taken(app: App) -> Job:
    """Have a new worker take the job that waits."""
    worker = await app.job_manager.register_worker()
    job = await app.job_manager.fetch_job(queues=None, worker_id=worker)
    assert job is not None
    return job


async def states(app: App) -> list[tuple[str | None, int | None]]:
    return [(job.status, job.worker_id) for job in await app.job_manager.list_jobs_async()]


async def test_a_job_that_was_done_is_gone(app: App) -> None:
    await enqueue_site(app, SITE)
    await app.job_manager.finish_job(await taken(app), Status.SUCCEEDED, delete_job=True)
    assert await states(app) == []


async def test_a_jobs_end_that_is_cut_is_made_again(place: QueuePlace, app: App) -> None:
    await enqueue_site(app, SITE)
    job = await taken(app)
    async with cut_once(place, "SELECT 1 FROM procrastinate_jobs"):
        await app.job_manager.finish_job(job, Status.SUCCEEDED, delete_job=True)
    assert await states(app) == []


async def test_a_job_that_was_put_back_waits_as_before(app: App) -> None:
    await enqueue_site(app, SITE)
    await app.job_manager.retry_job(await taken(app))
    assert (await taken(app)).task_kwargs == {"site": SITE}


async def test_a_job_whose_site_waits_already_is_not_put_back(app: App) -> None:
    await enqueue_site(app, SITE)
    job = await taken(app)
    await enqueue_site(app, SITE)
    await app.job_manager.retry_job(job)
    assert [status for status, _ in await states(app)] == ["todo"]


async def test_who_was_taken_for_dead_ends_nothing_of_others(app: App) -> None:
    await enqueue_site(app, SITE)
    slept = await taken(app)
    await Heart(app, Times(dead=-1)).bury()
    other = await taken(app)
    await app.job_manager.finish_job(slept, Status.SUCCEEDED, delete_job=True)
    await app.job_manager.retry_job(slept)
    assert await states(app) == [("doing", other.worker_id)]
