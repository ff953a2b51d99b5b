"""Originals on other hosts: captured once per canonical URL, under their own host's rules.

An article's ``canonical_source`` is an edge; with ``follow_canonical`` its target is an article
of an implicit site of its host, read again at most every ``canonical_every`` days.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from crawler.frontier import Entry
from crawler.site.run import SiteRun


class Foreign:
    """Collects originals while sites run. Mutable state: what was asked for, and runs begun."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._queue: asyncio.Queue[tuple[str, timedelta] | None] = asyncio.Queue()
        self._asked: set[str] = set()
        self._begun: dict[str, SiteRun] = {}

    def add(self, url: str, every: timedelta) -> None:
        """Ask for the original at ``url``, once a run, where none was read for ``every``."""
        if url not in self._asked:
            self._asked.add(url)
            self._queue.put_nowait((url, every))

    def close(self) -> None:
        """Say that no more originals will be asked for."""
        self._queue.put_nowait(None)

    async def go(self, run_for: Callable[[str], Awaitable[tuple[SiteRun | None, bool]]]) -> None:
        """Run what is there for originals alone until `close` was called and all is done.

        ``run_for`` gives an original's site run, and whether it is there for originals alone.
        """
        async with asyncio.TaskGroup() as tasks:
            while (asked := await self._queue.get()) is not None:
                url, every = asked
                run, ours = await run_for(url)
                if run is None or run.looked_since(url, self._clock() - every):
                    continue
                run.add([Entry(url=url, source="canonical", named=run.site.implicit)])
                if ours and run.site.name not in self._begun:
                    self._begun[run.site.name] = run
                    tasks.create_task(run.go())
            for run in self._begun.values():
                run.close()
