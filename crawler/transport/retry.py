"""Trying again: the crawler's only module that knows tenacity.

The arithmetic is a pure function: exponential, full jitter, so that many clients do not come
back together. A wait that a server asked for itself is no backoff: politeness keeps it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tenacity import RetryCallState

#: Statuses that say "perhaps later" (RFC 9110 section 15, RFC 6585, RFC 8470 for 425).
RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Doublings that are counted: past 2^30 every cap is reached.
_MAX_DOUBLINGS = 30

T = TypeVar("T")


class Again(Exception):
    """An attempt that may be made again: ``cause`` is why.

    ``free``: it costs no wait here and counts on no budget, since the server itself named the time
    (which politeness waits for), or never saw the request.
    """

    def __init__(self, cause: object, *, free: bool = False) -> None:
        super().__init__(cause)
        self.cause = cause
        self.free = free


@dataclass(frozen=True, slots=True)
class Backoff:
    """At most ``attempts`` in all; waits from 0 to ``base`` times 2ⁿ seconds, at most ``cap``."""

    attempts: int
    base: float
    cap: float

    def seconds(self, attempt: int, roll: float) -> float:
        """Seconds to wait after attempt number ``attempt`` (from 1); ``roll`` from 0 to 1."""
        return roll * min(self.cap, self.base * float(1 << min(attempt - 1, _MAX_DOUBLINGS)))


async def retrying(
    first: Again,
    attempt: Callable[[int], Awaitable[T]],
    backoff: Backoff,
    rng: random.Random,
    *,
    may_retry: Callable[[], Awaitable[bool]] | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> T:
    """Await ``attempt`` with its number from 2 until it raises no Again, and return its result.

    ``first`` is what the first attempt raised: most succeed at once and never pay for tenacity.
    Raises the last Again when the attempts are used up, or when ``may_retry`` refuses one that is
    not free.
    """
    number = 0

    async def trial() -> T:
        nonlocal number
        number += 1
        if number == 1:
            raise first
        return await attempt(number)

    async def allowed(state: RetryCallState) -> bool:
        error = _again(state)
        if error is None or number >= backoff.attempts:
            return False
        return error.free or may_retry is None or await may_retry()

    def wait(state: RetryCallState) -> float:
        error = _again(state)
        if error is None or error.free:
            return 0.0
        return backoff.seconds(number, rng.random())

    from tenacity import AsyncRetrying

    return await AsyncRetrying(wait=wait, retry=allowed, sleep=sleep, reraise=True)(trial)


def _again(state: RetryCallState) -> Again | None:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if isinstance(error, Again) else None
