"""The queue as procrastinate's app: its two kinds of jobs, and how each comes into it.

``lock`` is the host, so that no two jobs of one host run at once; ``queueing_lock`` is the site, or
the original, so that it waits only once.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from datetime import timedelta
from typing import Any, Final

from msgspec import Struct
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.jobs import Job, JobDeferrer

from crawler.cluster.lines import Lines
from crawler.cluster.manager import OwnJobs
from crawler.cluster.place import QueuePlace
from crawler.cluster.roster import Roster
from crawler.urls import host_key

#: Connections of a worker to the database: short questions, however many jobs there are.
_CONNECTIONS = 4
#: Seconds that a question waits for a connection.
_TIMEOUT = 5.0
#: Who is asked for by hand comes first, originals last: they are other publishers' servers.
_BY_HAND, _BY_CLOCK, _ORIGINAL = 1, 0, -1
#: What a job is called in the tables.
SYNC: Final = "sync"
ORIGINAL: Final = "original"

#: Originals that one job captures: a stop leaves the rest in the queue.
_TOGETHER = 500
_WAITING = """
SELECT id, args->>'url' AS url, (args->>'every')::int AS every FROM procrastinate_jobs
WHERE status = 'todo' AND task_name = %(kind)s AND lock = %(host)s ORDER BY id LIMIT %(most)s
"""
_DROP = "DELETE FROM procrastinate_jobs WHERE id = ANY(%(jobs)s) AND status = 'todo'"
_HURRY = """
UPDATE procrastinate_jobs SET scheduled_at = NULL, priority = %(priority)s
WHERE status = 'todo' AND queueing_lock = %(lock)s
"""

Work = Callable[..., Awaitable[None]]


async def _nobody(_: JobContext, **__: Any) -> None:
    """Stand for the work where jobs are only queued."""


class Doing(Struct, frozen=True, kw_only=True):
    """Who does the jobs, in a worker: ``alive`` says whether it may still count on them."""

    sync: Work = _nobody
    original: Work = _nobody
    alive: Callable[[], bool] = lambda: True
    lines: Lines | None = None


_QUEUED_ONLY = Doing()


def queue_app(place: QueuePlace, doing: Doing = _QUEUED_ONLY) -> App:
    """Return the app, to be opened; ``doing.lines`` hears of its connections."""
    connector = PsycopgConnector(
        conninfo=place.conninfo,
        min_size=1,
        max_size=_CONNECTIONS,
        timeout=_TIMEOUT,
        configure=doing.lines and doing.lines.hold,
    )
    app = App(connector=connector)
    app.job_manager = OwnJobs(connector, doing.alive)
    for name, work in ((SYNC, doing.sync), (ORIGINAL, doing.original)):
        app.task(name=name, pass_context=True, retry=_Again())(work)
    return app


class _Again(BaseRetryStrategy):
    """Puts a job back that was cut off: not one that failed, which waits for its site's time."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002  - the strategy's signature
        cut_off = isinstance(exception, ConnectorException | CancelledError)
        return RetryDecision() if cut_off else None


def keep_time(app: App, roster: Roster) -> None:
    """Have every site queued when it is due; of many workers that do so, one succeeds."""
    for url, line in roster.lines.items():
        app.periodic(
            cron=line,
            periodic_id=roster.labels[url],
            lock=host_key(url),
            queueing_lock=f"{SYNC} {url}",
            priority=_BY_CLOCK,
            task_kwargs={"site": url},
        )(app.tasks[SYNC])


class Later(Struct, frozen=True):
    """When a job may begin: ``wait`` seconds from now, after so many tries ``in_vain``."""

    wait: float = 0
    in_vain: int = 0


_NOW = Later()


async def enqueue_site(
    app: App, url: str, later: Later = _NOW, *, priority: int = _BY_CLOCK
) -> bool:
    """Queue the site at ``url``; False where it waits there already."""
    deferrer = app.configure_task(SYNC, priority=priority, **_options(SYNC, url, later))
    return await _enqueue(deferrer, later, site=url)


async def enqueue_now(app: App, url: str) -> bool:
    """Queue the site at ``url`` before all others; False where it waited already, and hurries now.

    What waits may wait for minutes, since one of its hosts could not be had.
    """
    added = await enqueue_site(app, url, priority=_BY_HAND)
    if not added:
        lock = _options(SYNC, url, _NOW)["queueing_lock"]
        await app.connector.execute_query_async(_HURRY, lock=lock, priority=_BY_HAND)
    return added


async def enqueue_original(app: App, url: str, every: timedelta, later: Later = _NOW) -> bool:
    """Queue the original at ``url``, unless it is known to be read within ``every``."""
    deferrer = app.configure_task(ORIGINAL, priority=_ORIGINAL, **_options(ORIGINAL, url, later))
    return await _enqueue(deferrer, later, url=url, every=int(every.total_seconds()))


async def waiting_originals(app: App, host: str) -> dict[int, tuple[str, timedelta]]:
    """Return the originals of ``host`` that wait, by job: one that runs may capture them too."""
    rows = await app.connector.execute_query_all_async(
        _WAITING, host=host, kind=ORIGINAL, most=_TOGETHER
    )
    return {row["id"]: (row["url"], timedelta(seconds=row["every"])) for row in rows}


async def drop(app: App, jobs: Iterable[int]) -> None:
    """Take ``jobs`` out of the queue where they still wait: they have been done."""
    await app.connector.execute_query_async(_DROP, jobs=list(jobs))


def _options(kind: str, url: str, later: Later) -> dict[str, Any]:
    return {
        "lock": host_key(url),
        "queueing_lock": f"{kind} {url}",
        "schedule_in": {"seconds": later.wait} if later.wait else None,
    }


async def _enqueue(deferrer: JobDeferrer, later: Later, **arguments: str | int) -> bool:
    tries = {"in_vain": later.in_vain} if later.in_vain else {}
    try:
        await deferrer.defer_async(**arguments, **tries)
    except AlreadyEnqueued:
        return False
    return True
