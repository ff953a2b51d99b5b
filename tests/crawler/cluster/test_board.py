"""The fleet as people see it: what stands where, and the numbers that Prometheus reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import structs
from procrastinate import App

from crawler.cluster.board import Board, SiteView, WorkerView, board, prometheus
from crawler.cluster.books import Books
from crawler.cluster.heart import machine
from crawler.cluster.queue import Later, enqueue_site
from crawler.cluster.roster import Roster
from crawler.config.settings import parse_config
from tests.crawler.cluster.fleet import config
from tests.crawler.cluster.test_books import joined, summary

URLS = ("http://a.example/", "http://b.example/news/")
NOW = datetime(2026, 6, 19, 8, tzinfo=UTC)
SITE = SiteView(site="a", url=URLS[0], schedule="", next_at=None, state="done", articles=3)
WORKER = WorkerView(
    worker=7, machine='a "host"\\', pid=1, concurrency=4, started_at=NOW, silent=0.5, running=1,
    jobs=2, articles=30, snapshots=4, requests=50, bytes=600,
)  # fmt: skip


def roster() -> Roster:
    return Roster(parse_config(config(URLS, "bot", rate=1), {}), Path("news.toml"))


async def taken(app: App, url: str) -> int:
    """Have a new worker take a site's job; returns the worker."""
    worker = await joined(app)
    await enqueue_site(app, url)
    assert await app.job_manager.fetch_job(queues=None, worker_id=worker) is not None
    return worker


async def test_where_nothing_has_been_every_site_stands_with_its_next_moment(app: App) -> None:
    seen = await board(app, roster(), NOW)
    assert [(each.site, each.url, each.state) for each in seen.sites] == [
        ("a.example", URLS[0], ""),
        ("b.example~news", URLS[1], ""),
    ]
    assert seen.sites[0].next_at == datetime(2027, 1, 1, tzinfo=UTC)
    assert (seen.workers, seen.queued, seen.running) == ((), 0, 0)


async def test_a_job_in_hand_is_shown_with_who_has_it(app: App) -> None:
    worker = await taken(app, URLS[0])
    await Books(app, worker).begin(URLS[0])
    seen = await board(app, roster(), NOW)
    first, second = seen.sites
    assert (first.state, first.worker, first.machine) == ("running", worker, machine())
    assert (second.state, second.worker) == ("", None)
    (shown,) = seen.workers
    assert (shown.worker, shown.concurrency, shown.running) == (worker, 4, 1)
    assert (seen.queued, seen.running) == (0, 1)


async def test_a_site_that_waits_says_until_when(app: App) -> None:
    worker = await taken(app, URLS[0])
    books = Books(app, worker)
    await books.begin(URLS[0])
    await books.end(URLS[0], "waiting", summary(3), "its host is busy")
    await enqueue_site(app, URLS[1], Later(3600))
    seen = await board(app, roster(), datetime.now(UTC))
    one, other = seen.sites
    assert (one.articles, one.why) == (3, "its host is busy")
    assert other.state == "queued"
    assert other.queued_for is not None
    assert timedelta(minutes=55) < other.queued_for - datetime.now(UTC) < timedelta(minutes=65)
    assert seen.workers[0].articles == 3


def test_the_fleets_numbers_are_its_sites_summed_up() -> None:
    other = structs.replace(SITE, url=URLS[1], articles=4)
    text = prometheus(Board(sites=(SITE, other), workers=(), queued=5, running=6))
    assert "\nslugline_fleet_articles_total 7\n" in text
    assert "\nslugline_fleet_workers 0\n" in text
    assert "\nslugline_fleet_jobs_queued 5\n" in text
    assert "\nslugline_fleet_jobs_running 6\n" in text
    assert "slugline_worker_" not in text


def test_each_workers_numbers_bear_its_name() -> None:
    two = structs.replace(WORKER, worker=8, machine="b", articles=5)
    text = prometheus(Board(sites=(), workers=(WORKER, two), queued=0, running=0))
    label = r'{worker="7",machine="a \"host\"\\"}'
    assert f"\nslugline_worker_articles_total{label} 30\n" in text
    assert '\nslugline_worker_articles_total{worker="8",machine="b"} 5\n' in text
    lines = text.splitlines()
    assert lines.count("# TYPE slugline_worker_bytes_total counter") == 1
