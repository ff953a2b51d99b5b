"""What people see of a fleet: what runs when and where, who works, and the numbers of both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from msgspec import Struct
from procrastinate import App

from crawler.cluster.roster import Roster, next_at


class SiteView(Struct, frozen=True, kw_only=True):
    """One site. ``state``: running, queued, or how its last job ended; "" where none has been.

    ``next_at`` is when it is due by the clock; ``queued_for`` when its queued job may begin, where
    that is not at once. ``worker`` and ``machine`` are its last job's, or the running one's; the
    numbers are those of all its jobs.
    """

    site: str
    url: str
    schedule: str
    next_at: datetime | None
    state: str
    queued_for: datetime | None = None
    worker: int | None = None
    machine: str = ""
    began_at: datetime | None = None
    ended_at: datetime | None = None
    why: str = ""
    jobs: int = 0
    articles: int = 0
    snapshots: int = 0
    requests: int = 0
    bytes: int = 0


class WorkerView(Struct, frozen=True, kw_only=True):
    """One worker: ``silent`` is seconds since its last heartbeat, ``running`` its jobs just now."""

    worker: int
    machine: str
    pid: int
    concurrency: int
    started_at: datetime
    silent: float
    running: int
    jobs: int
    articles: int
    snapshots: int
    requests: int
    bytes: int


class Board(Struct, frozen=True, kw_only=True):
    """The fleet at a moment; ``queued`` and ``running`` count jobs, originals included."""

    sites: tuple[SiteView, ...]
    workers: tuple[WorkerView, ...]
    queued: int
    running: int


_JOBS = """
SELECT task_name, args->>'site' AS url, status::text AS status, scheduled_at
FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
"""
_SITES = "SELECT * FROM slugline_sites"
_WORKERS = """
SELECT member.*, extract(epoch FROM now() - worker.last_heartbeat)::float AS silent,
    (SELECT count(*) FROM procrastinate_jobs AS job
     WHERE job.worker_id = member.id AND job.status = 'doing') AS running
FROM slugline_members AS member JOIN procrastinate_workers AS worker USING (id)
ORDER BY member.id
"""


async def board(app: App, roster: Roster, now: datetime) -> Board:
    """Return how things stand at ``now``; ``app`` must be open."""
    ask = app.connector.execute_query_all_async
    # In this order: a worker's jobs are put back before it goes.
    workers, jobs = await ask(_WORKERS), await ask(_JOBS)
    known = {row["url"]: row for row in await ask(_SITES)}
    queued = {row["url"]: row for row in jobs if row["status"] == "todo"}
    running = {row["url"] for row in jobs if row["status"] == "doing"}
    return Board(
        sites=tuple(
            _site(roster, url, known.get(url), queued.get(url), running=url in running, now=now)
            for url in roster.lines
        ),
        workers=tuple(_worker(row) for row in workers),
        queued=sum(row["status"] == "todo" for row in jobs),
        running=sum(row["status"] == "doing" for row in jobs),
    )


def _site(
    roster: Roster,
    url: str,
    last: dict[str, Any] | None,
    queued: dict[str, Any] | None,
    *,
    running: bool,
    now: datetime,
) -> SiteView:
    last = dict(last or {})
    worker, ended = last.pop("worker_id", None), last.pop("state", "")
    # what a dead worker left is queued, whatever it had written down
    state = "running" if running else "queued" if queued else ended
    begins = queued["scheduled_at"] if queued else None
    return SiteView(
        **{"url": url} | last,
        site=roster.labels[url],
        schedule=roster.lines[url],
        next_at=next_at(roster.lines[url], now),
        state=state,
        queued_for=begins if begins and begins > now else None,
        worker=worker,
    )


def _worker(row: dict[str, Any]) -> WorkerView:
    return WorkerView(worker=row.pop("id"), **row)


_COUNTS = (
    ("jobs", "Jobs done."),
    ("articles", "Articles looked at or known to be unchanged."),
    ("snapshots", "Snapshots stored."),
    ("requests", "Requests sent, retries included."),
    ("bytes", "Bytes of bodies received."),
)


def prometheus(view: Board) -> str:
    """Return the numbers in Prometheus's text format: the fleet's over all time, each worker's."""
    return "".join(f"{line}\n" for line in _metrics(view))


def _metrics(view: Board) -> Iterator[str]:
    gauges = (
        ("workers", "Workers with a heartbeat.", len(view.workers)),
        ("jobs_queued", "Jobs that wait.", view.queued),
        ("jobs_running", "Jobs that run.", view.running),
    )
    for name, words, value in gauges:
        yield from _family(f"fleet_{name}", words, "gauge")
        yield f"slugline_fleet_{name} {value}"
    for name, words in _COUNTS:
        yield from _family(f"fleet_{name}_total", words, "counter")
        yield f"slugline_fleet_{name}_total {sum(getattr(each, name) for each in view.sites)}"
    if not view.workers:
        return
    for name, words in _COUNTS:
        yield from _family(f"worker_{name}_total", words, "counter")
        for each in view.workers:
            label = f'{{worker="{each.worker}",machine="{_escaped(each.machine)}"}}'
            yield f"slugline_worker_{name}_total{label} {getattr(each, name)}"


def _family(name: str, words: str, kind: str) -> Iterator[str]:
    yield f"# HELP slugline_{name} {words}"
    yield f"# TYPE slugline_{name} {kind}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
