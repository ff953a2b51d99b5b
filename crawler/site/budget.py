"""What one site's run may cost: a number of requests, a time. Past it, its turn ends in good order.

The articles in hand are finished, so a little more than the budget may be spent; the next run goes
on from there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from crawler.config.settings import Settings
from crawler.progress.wording import duration


class Budget:
    """Watches one site's run. Mutable state: requests counted, the timer."""

    def __init__(self, settings: Settings, enough: Callable[[str], None]) -> None:
        """``enough`` is told once what is spent, in words."""
        self._settings = settings
        self._enough = enough
        self._requests = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to count the time."""
        seconds = self._settings.max_seconds
        if seconds:
            why = f"the {duration(seconds)} it may take a run (max_seconds) are over"
            self._timer = asyncio.get_running_loop().call_later(seconds, self._enough, why)

    def stop(self) -> None:
        """Stop counting the time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def request(self) -> None:
        """Count one request."""
        self._requests += 1
        most = self._settings.max_requests
        if self._requests == most:
            self._enough(f"the {most:,} requests it may take a run (max_requests) are spent")
