"""Past a hiccup of the database: what must be written down is asked again, for some seconds.

For what ends a job: a host given back, a job taken out of the queue. A connection may be cut just
as it is asked, and the worker lives on; what is asked here may be asked twice. A database that is
away for longer than this ends the worker's shift, and what it held is free with that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import SystemRandom
from typing import TypeVar

from procrastinate.exceptions import ConnectorException

from crawler.transport.retry import Again, Backoff, retrying

#: Seconds: at most 0.1, 0.2, 0.4 … between two tries, some 3 in all on average.
_BACKOFF = Backoff(attempts=7, base=0.1, cap=3.2)
_CHANCE = SystemRandom()

T = TypeVar("T")


async def past_hiccups(ask: Callable[[], Awaitable[T]], alive: Callable[[], bool]) -> T:
    """Await ``ask`` until the database answers, and return what it does.

    Raises ConnectorException where it has not for some seconds, or when the worker that asks is
    not ``alive`` any more: others have the job then.
    """

    async def attempt(_: int) -> T:
        try:
            return await ask()
        except ConnectorException as error:
            raise Again(error) from error

    async def may_retry() -> bool:
        return alive()

    try:
        try:
            return await attempt(1)
        except Again as first:
            return await retrying(first, attempt, _BACKOFF, _CHANCE, may_retry=may_retry)
    except Again as again:
        raise ConnectorException(str(again.cause)) from (again.__cause__ or again).__cause__
