"""What jobs leave in the queue's tables: each site's last job, and all that a worker did."""

from __future__ import annotations

from typing import Any

import pytest
from procrastinate import App

from crawler.cluster.books import Books
from crawler.cluster.heart import Heart, Times, machine
from crawler.events import Summary

URL = "http://a.example/"


def summary(articles: int) -> Summary:
    return Summary(
        run="r", sites=1, articles=articles, requests=2 * articles, bytes=100, snapshots=1,
        unchanged=0, silent_edits=0, torn=0, partial=0, gone=0, failed=0, seconds=1.0,
        verify_bound_days=30, errors=(),
    )  # fmt: skip


async def joined(app: App) -> int:
    """Have a new worker, and return its number."""
    worker = await app.job_manager.register_worker()
    await Heart(app, Times()).join(worker, 4)
    return worker


async def books(app: App) -> tuple[Books, int]:
    """Return the books of a new worker, and its number."""
    worker = await joined(app)
    return Books(app, worker), worker


async def rows(app: App, table: str) -> list[dict[str, Any]]:
    asked = f"SELECT * FROM {table} ORDER BY 1"
    return list(await app.connector.execute_query_all_async(asked))


async def test_a_job_that_began_is_running_on_its_machine(app: App) -> None:
    ours, worker = await books(app)
    await ours.begin(URL)
    (site,) = await rows(app, "slugline_sites")
    assert (site["url"], site["state"], site["ended_at"]) == (URL, "running", None)
    assert (site["machine"], site["worker_id"]) == (machine(), worker)


@pytest.mark.parametrize("state", ["done", "stopped", "waiting", "failed"])
async def test_what_jobs_did_adds_up_for_the_site_and_for_the_worker(app: App, state: str) -> None:
    ours, _ = await books(app)
    for articles in (3, 4):
        await ours.begin(URL)
        await ours.end(URL, state, summary(articles), "why it is so")
    for table in ("slugline_sites", "slugline_members"):
        (row,) = await rows(app, table)
        did = [row[name] for name in ("jobs", "articles", "snapshots", "requests", "bytes")]
        assert did == [2, 7, 2, 14, 200]
    (site,) = await rows(app, "slugline_sites")
    assert (site["state"], site["why"]) == (state, "why it is so")
    assert site["ended_at"] >= site["began_at"]


async def test_a_job_that_came_to_nothing_is_one_all_the_same(app: App) -> None:
    ours, _ = await books(app)
    await ours.begin(URL)
    await ours.end(URL, "failed", None, "the disk is full")
    (site,) = await rows(app, "slugline_sites")
    assert (site["jobs"], site["articles"], site["why"]) == (1, 0, "the disk is full")


async def test_a_site_that_another_worker_has_begun_again_is_not_ended_by_the_first(
    app: App,
) -> None:
    (first, _), (second, other) = await books(app), await books(app)
    await first.begin(URL)
    await second.begin(URL)
    await first.end(URL, "done", summary(3))
    (site,) = await rows(app, "slugline_sites")
    assert (site["state"], site["worker_id"], site["articles"]) == ("running", other, 0)
    assert [row["articles"] for row in await rows(app, "slugline_members")] == [3, 0]
