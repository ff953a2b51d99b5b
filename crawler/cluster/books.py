"""What a job leaves in the queue's tables: each site's last job, and what its worker has done."""

from __future__ import annotations

from procrastinate import App

from crawler.cluster.heart import machine
from crawler.events import Summary

_BEGIN = """
INSERT INTO slugline_sites (url, state, machine, worker_id)
VALUES (%(url)s, 'running', %(machine)s, %(worker)s)
ON CONFLICT (url) DO UPDATE SET state = 'running', machine = excluded.machine,
    worker_id = excluded.worker_id, began_at = now(), why = ''
"""
_END = """
UPDATE slugline_sites SET state = %(state)s, ended_at = now(), why = %(why)s, jobs = jobs + 1,
    articles = articles + %(articles)s, snapshots = snapshots + %(snapshots)s,
    requests = requests + %(requests)s, bytes = bytes + %(bytes)s
WHERE url = %(url)s AND worker_id = %(worker)s
"""
_WORKED = """
UPDATE slugline_members SET jobs = jobs + 1,
    articles = articles + %(articles)s, snapshots = snapshots + %(snapshots)s,
    requests = requests + %(requests)s, bytes = bytes + %(bytes)s
WHERE id = %(worker)s
"""


class Books:
    """Keeps the books of the worker with the id ``worker``."""

    def __init__(self, app: App, worker: int) -> None:
        """``app`` must be open."""
        self._connector = app.connector
        self._worker = worker

    async def begin(self, url: str) -> None:
        """Note that a job for ``url`` begins."""
        await self._connector.execute_query_async(
            _BEGIN, url=url, machine=machine(), worker=self._worker
        )

    async def end(self, url: str, state: str, summary: Summary | None, why: str = "") -> None:
        """Note how it ended: ``state`` is done, stopped, waiting or failed, ``why`` a sentence."""
        did = {
            name: 0 if summary is None else getattr(summary, name)
            for name in ("articles", "snapshots", "requests", "bytes")
        }
        worker = self._worker
        await self._connector.execute_query_async(
            _END, url=url, state=state, why=why, worker=worker, **did
        )
        await self._connector.execute_query_async(_WORKED, worker=worker, **did)
