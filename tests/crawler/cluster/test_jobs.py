"""When a job is tried again whose hosts others have: later each time, and never much later."""

from __future__ import annotations

import pytest

from crawler.cluster.jobs import BUSY, GAVE_UP, next_try
from crawler.transport.retry import Backoff


@pytest.mark.parametrize(("backoff", "first", "last"), [(BUSY, 5, 300), (GAVE_UP, 60, 900)])
def test_the_waits_double_and_are_bounded(backoff: Backoff, first: int, last: int) -> None:
    waits = [next_try(tries, backoff, roll=1.0).wait for tries in range(20)]
    assert waits[:3] == [first, 2 * first, 4 * first]
    assert waits[-1] == last


def test_the_tries_are_counted() -> None:
    assert [next_try(tries, BUSY, roll=0.5).in_vain for tries in range(3)] == [1, 2, 3]


def test_two_that_wait_for_each_other_part_and_neither_comes_at_once() -> None:
    waits = {next_try(0, GAVE_UP, roll).wait for roll in (0.0, 0.25, 0.75, 1.0)}
    assert len(waits) == 4
    assert min(waits) == GAVE_UP.base / 2
