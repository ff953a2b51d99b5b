"""How a job leaves a worker's hands: only one that is still its own.

procrastinate ends a job by its number. A worker that was held up (a machine that slept, a network
that was cut) may end one that others have taken up meanwhile: that one is let be.
"""

from __future__ import annotations

from datetime import datetime

from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

_END = """
DELETE FROM procrastinate_jobs
WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing'
"""
_BACK = """
UPDATE procrastinate_jobs AS job SET status = 'todo', attempts = attempts + 1, scheduled_at = NULL
WHERE id = %(job)s AND worker_id = %(worker)s AND status = 'doing' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs AS waiting
    WHERE waiting.status = 'todo' AND waiting.queueing_lock = job.queueing_lock
)
"""


class OwnJobs(JobManager):
    """Ends and puts back jobs of the worker that fetched them, and no others. None is kept."""

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: ARG002  - procrastinate's signature
        """Take ``job`` out of the tables."""
        await self.connector.execute_query_async(_END, job=job.id, worker=job.worker_id)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,  # noqa: ARG002  - procrastinate's signature
        priority: int | None = None,  # noqa: ARG002
        queue: str | None = None,  # noqa: ARG002
        lock: str | None = None,  # noqa: ARG002
    ) -> None:
        """Put ``job`` back as it was; where its site waits already, take it out."""
        await self.connector.execute_query_async(_BACK, job=job.id, worker=job.worker_id)
        await self.connector.execute_query_async(_END, job=job.id, worker=job.worker_id)
