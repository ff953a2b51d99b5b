"""Leave to ask a host, where other runs than this one may want to ask it: who wants it, and how.

A run by hand needs none. Whoever gives it keeps one host from two runs at once.
"""

from __future__ import annotations

from typing import Protocol


class Refused(Exception):
    """A host may not be asked in this run, though it may be well; the message says why."""


class Permit(Protocol):
    """Leave to ask a host, where others than this run may want to ask it too."""

    async def begin(self, host: str) -> float:
        """Wait for leave to ask ``host``; returns the seconds to wait before the first request.

        Raises Refused.
        """

    def stands(self) -> bool:
        """Say whether leave that was given is good still: requests wait for the host's pace."""

    def end(self, host: str, wait: float) -> None:
        """Note that one that had leave is done; ``wait`` seconds later the host may be asked."""
