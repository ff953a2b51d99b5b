"""How a job leaves a worker's hands: only one that is still its own.

procrastinate ends a job by its number. A worker that was held up (a machine that slept, a network
that was cut) may end one that others have taken up meanwhile: that one is let be. And what it asks
is asked again where the database has a hiccup, since a job that stays "doing" holds its host.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import LiteralString

from procrastinate.connector import BaseConnector
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from crawler.cluster.hiccups import past_hiccups

_END = """
DELETE FROM procrastinate_jobs
WHERE id = %(job)s AND worker_id = %(worker)s AND attempts = %(attempts)s AND status = 'doing'
"""
_BACK = """
UPDATE procrastinate_jobs AS job SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL
WHERE id = %(job)s AND worker_id = %(worker)s AND attempts = %(attempts)s AND status = 'doing'
AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND waiting.queueing_lock = job.queueing_lock
)
"""


class OwnJobs(JobManager):
    """Ends and puts back jobs of the worker that fetched them, and no others. None is kept."""

    def __init__(self, connector: BaseConnector, alive: Callable[[], bool]) -> None:
        """``alive`` says whether the worker whose jobs they are may still count on them."""
        super().__init__(connector)
        self._alive = alive

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """Take ``job`` out of the tables."""
        await self._ask(_END, job)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put ``job`` back as it was; where its site waits already, take it out."""
        await self._ask(_BACK, job)
        await self._ask(_END, job)

    async def _ask(self, order: LiteralString, job: Job) -> None:
        who = {"job": job.id, "worker": job.worker_id, "attempts": job.attempts}
        await past_hiccups(lambda: self.connector.execute_query_async(order, **who), self._alive)
