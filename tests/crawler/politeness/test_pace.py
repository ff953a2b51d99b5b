"""The arithmetic of politeness, with the time as an argument."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.politeness.pace import LONGEST_WAIT, Pace, retry_after
from tests.crawler.fetching import NOW, settings


def pace(**values: float) -> Pace:
    return Pace.new(settings(**values))


def test_retry_after_reads_seconds() -> None:
    assert retry_after("120", NOW) == 120


def test_retry_after_reads_an_http_date() -> None:
    assert retry_after("Fri, 19 Jun 2026 08:10:44 GMT", NOW) == 60


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "-5", "+5", "1.5", "1e3", "soon", "٣", "0", "5 seconds", "0x10", "1,2"),
        *("Fri, 19 Jun 2026 08:09:44 GMT", "Thu, 18 Jun 2020 08:09:44 GMT", "2026-06-20"),
    ],
)
def test_retry_after_that_is_past_or_no_time_asks_for_nothing(value: str | None) -> None:
    assert retry_after(value, NOW) is None


@pytest.mark.parametrize("value", ["9" * 400, "2592001", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_retry_after_rests_a_host_for_more_than_a_month(value: str) -> None:
    assert retry_after(value, NOW) == LONGEST_WAIT
    host = pace()
    host.asked(0.0, NOW, math.inf)
    assert host.until == NOW + timedelta(days=30)


@given(st.text(max_size=40))
def test_no_retry_after_raises_or_is_negative(value: str) -> None:
    seconds = retry_after(value, NOW)
    assert seconds is None or seconds > 0


def test_requests_are_spaced_by_the_rate() -> None:
    host = pace(rate=4)
    assert host.ready_in(10.0) == 0
    host.start(10.0)
    assert host.ready_in(10.0) == pytest.approx(0.25)
    assert host.ready_in(10.25) == pytest.approx(0)


def test_a_late_start_is_made_up_for_but_never_more_than_half_an_interval() -> None:
    host = pace(rate=4)
    host.start(10.0)
    host.start(10.3)
    assert host.ready_in(10.3) == pytest.approx(0.2)
    host.start(10.7)
    assert host.ready_in(10.7) == pytest.approx(0.125)


def test_a_pause_is_no_credit() -> None:
    host = pace(rate=4)
    host.start(10.0)
    host.start(100.0)
    assert host.ready_in(100.0) == pytest.approx(0.25)


def test_a_crawl_delay_is_kept_from_start_to_start() -> None:
    host = pace(rate=4)
    host.crawl_delay = host.delay = 10.0
    host.start(0.0)
    host.start(14.0)
    assert host.ready_in(14.0) == pytest.approx(10.0)


def test_a_crawl_delay_as_long_as_our_own_interval_is_kept_too() -> None:
    host = pace(rate=4)
    host.obey(0.25)
    host.start(0.0)
    host.start(0.3)
    assert host.ready_in(0.3) == pytest.approx(0.25)


def test_a_crawl_delay_counts_from_the_request_for_robots_txt() -> None:
    host = pace(rate=4)
    host.start(100.0)
    host.sent(100.1)
    host.obey(10.0)
    host.obey(10.0)
    assert host.ready_in(100.1) == pytest.approx(10.0)


def test_a_request_that_went_out_late_keeps_the_next_away() -> None:
    host = pace(rate=4)
    host.start(10.0)
    host.sent(10.1)
    assert host.ready_in(10.1) == pytest.approx(0.15)
    host.sent(10.2)
    assert host.ready_in(10.2) == pytest.approx(0.125)


def test_a_crawl_delay_is_kept_from_where_the_request_went_out() -> None:
    host = pace(rate=4)
    host.obey(10.0)
    host.start(0.0)
    host.sent(0.3)
    assert host.ready_in(0.3) == pytest.approx(10.0)


@given(
    rate=st.integers(1, 50),
    lags=st.lists(st.tuples(st.floats(0, 3), st.floats(0, 3)), min_size=2, max_size=200),
)
def test_no_second_holds_more_than_the_rate_and_one(
    rate: int, lags: list[tuple[float, float]]
) -> None:
    host = pace(rate=rate)
    now, starts = 1000.0, []
    for late, connecting in lags:
        # lags of up to three intervals: the caller is late, or has nothing to ask for
        now += host.ready_in(now) + late / rate
        host.start(now)
        now += connecting / rate
        host.sent(now)
        starts.append(now)
    for start in starts:
        assert sum(start <= other < start + 1 - 1e-9 for other in starts) <= rate + 1


def test_a_busy_server_slows_us_and_good_answers_bring_the_rate_back() -> None:
    host = pace(rate=2)
    host.strained()
    assert host.delay == 1.0
    host.strained()
    assert host.delay == 2.0
    for _ in range(40):
        host.eased(0.0, 0.01)
    assert host.delay == 0.5


def test_the_adaptive_delay_stops_at_its_bound() -> None:
    host = pace(rate=2, max_delay=60)
    for _ in range(50):
        host.strained()
    assert host.delay == 60


def test_a_server_that_is_slow_to_answer_is_asked_less_often() -> None:
    host = pace(rate=2, concurrency=2)
    for _ in range(20):
        host.eased(0.0, 8.0)
    assert host.delay == pytest.approx(4.0, rel=0.01)


def test_without_a_rate_nothing_but_the_server_itself_slows_us() -> None:
    host = pace(rate=0)
    host.strained()
    host.eased(0.0, 30.0)
    host.start(5.0)
    assert host.ready_in(5.0) == 0
    host.asked(5.0, NOW, 7.0)
    assert host.ready_in(5.0) == 7.0


def test_a_shorter_wait_never_replaces_a_longer_one() -> None:
    host = pace()
    host.asked(0.0, NOW, 60.0)
    host.asked(0.0, NOW, 1.0)
    assert host.ready_in(0.0) == 60.0


def test_a_wait_above_the_cap_ends_the_turn_and_keeps_its_date() -> None:
    host = pace(retry_after_cap=120)
    host.asked(0.0, NOW, 3600.0)
    assert host.ready_in(0.0) == math.inf
    assert host.until == NOW + timedelta(hours=1)
    assert "2026-06-19 09:09:44 UTC" in host.why


def test_five_failures_in_a_row_end_the_turn() -> None:
    host = pace()
    for second in range(5):
        assert not host.over
        host.struck(second + 0.5, float(second), "the connection was refused")
    assert host.over
    assert "5 failures" in host.why
    assert "the connection was refused" in host.why


def test_a_good_answer_breaks_the_row() -> None:
    host = pace()
    for second in range(4):
        host.struck(second + 0.5, float(second), "busy")
    host.eased(10.0, 0.1)
    assert host.strikes == 0


def test_requests_already_under_way_count_as_one_failure() -> None:
    host = pace()
    for _ in range(30):
        host.struck(5.0, 1.0, "busy")
    host.eased(1.0, 0.1)
    assert host.strikes == 1


def test_retries_have_a_budget_that_grows_with_the_requests() -> None:
    host = pace(retry_budget=2, retry_share=0.5)
    host.requests = 2
    assert [host.may_retry() for _ in range(5)] == [True, True, True, False, False]
