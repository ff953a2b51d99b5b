"""A server's log, judged."""

from __future__ import annotations

import pytest

from tests.politeness.hosts import Visit
from tests.politeness.judging import least_gap, most_open, most_within, share_used


def visits(*times: float, each: float = 0.0) -> list[Visit]:
    return [Visit("/", came, came + each) for came in times]


def test_the_densest_second_is_found_wherever_it_begins() -> None:
    assert most_within(visits(0.0, 0.5, 1.0, 1.4, 1.9, 3.0)) == 3
    assert most_within(visits(0.0, 1.0, 2.0)) == 1
    assert most_within([]) == 0


def test_the_least_gap_is_between_neighbours() -> None:
    assert least_gap(visits(0.0, 0.5, 0.7, 2.0)) == pytest.approx(0.2)
    assert least_gap(visits(0.0)) == 0.0


def test_what_is_in_hand_at_once_ends_with_its_answer() -> None:
    assert most_open(visits(0.0, 1.0, 2.0, each=1.0)) == 1
    assert most_open(visits(0.0, 1.0, 2.0, each=1.5)) == 2
    assert most_open(visits(0.0, 0.0, 0.0, each=9.0)) == 3


def test_the_share_of_a_rate_is_of_the_time_between_first_and_last() -> None:
    assert share_used(visits(0.0, 0.5, 1.0), rate=2) == pytest.approx(1.0)
    assert share_used(visits(0.0, 1.0, 2.0), rate=2) == pytest.approx(0.5)
    assert share_used(visits(0.0), rate=2) == 1.0
