"""When an attempt is made again, how long it waits, and when it is given up."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.transport.retry import Again, Backoff, retrying

BACKOFF = Backoff(attempts=4, base=0.5, cap=30.0)
FIRST = Again("failure 1")


class Naps:
    """Stands in for sleeping: remembers how long."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def failing(times: int, *, free: bool = False) -> tuple[Callable[[int], Awaitable[str]], list[int]]:
    numbers: list[int] = []

    async def attempt(number: int) -> str:
        numbers.append(number)
        if number <= times:
            raise Again(f"failure {number}", free=free)
        return "done"

    return attempt, numbers


async def test_it_tries_again_until_it_succeeds() -> None:
    attempt, numbers = failing(2)
    naps = Naps()
    assert await retrying(FIRST, attempt, BACKOFF, random.Random(1), sleep=naps) == "done"
    assert numbers == [2, 3]
    assert len(naps.seconds) == 2


async def test_it_gives_up_after_the_last_attempt_with_the_last_cause() -> None:
    attempt, numbers = failing(99)
    with pytest.raises(Again) as caught:
        await retrying(FIRST, attempt, BACKOFF, random.Random(1), sleep=Naps())
    assert caught.value.cause == "failure 4"
    assert numbers == [2, 3, 4]


async def test_other_errors_pass_through_at_once() -> None:
    async def attempt(number: int) -> str:
        raise LookupError(number)

    with pytest.raises(LookupError):
        await retrying(FIRST, attempt, BACKOFF, random.Random(1), sleep=Naps())


async def never() -> bool:
    return False


async def test_a_spent_budget_ends_it() -> None:
    attempt, numbers = failing(99)
    with pytest.raises(Again):
        await retrying(FIRST, attempt, BACKOFF, random.Random(1), may_retry=never)
    assert numbers == []


async def test_the_budget_is_asked_once_a_retry_and_not_for_the_last_failure() -> None:
    attempt, _ = failing(99)
    asked: list[bool] = []

    async def may_retry() -> bool:
        asked.append(True)
        return True

    with pytest.raises(Again):
        await retrying(
            FIRST,
            attempt,
            BACKOFF,
            random.Random(1),
            may_retry=may_retry,
            sleep=Naps(),
        )
    assert len(asked) == 3


async def test_a_free_attempt_waits_for_nothing_and_costs_no_budget() -> None:
    attempt, numbers = failing(2, free=True)
    naps = Naps()
    first = Again("failure 1", free=True)
    result = await retrying(first, attempt, BACKOFF, random.Random(1), may_retry=never, sleep=naps)
    assert (result, numbers, naps.seconds) == ("done", [2, 3], [0.0, 0.0])


@given(attempt=st.integers(1, 10_000), roll=st.floats(0, 1))
def test_waits_stay_between_nothing_and_the_cap(attempt: int, roll: float) -> None:
    assert 0 <= BACKOFF.seconds(attempt, roll) <= min(30.0, 0.5 * 2.0 ** min(attempt - 1, 60))


def test_the_longest_wait_doubles() -> None:
    assert [BACKOFF.seconds(n, 1.0) for n in (1, 2, 3, 4, 8)] == [0.5, 1.0, 2.0, 4.0, 30.0]
