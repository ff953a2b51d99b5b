"""Least requests: when a sitemap's lastmod proves that nothing has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from crawler.due import interval, is_due, unchanged_by_lastmod
from storage.model import EntryState, Lately

MOMENT = datetime(2026, 6, 19, 9, 13, 50, tzinfo=UTC)
LASTMOD = "2026-06-19T09:13:50Z"
LONG_AFTER = MOMENT + timedelta(days=400)
TICK = timedelta(seconds=1)


def looked(at: datetime = LONG_AFTER, lastmod: str = LASTMOD) -> EntryState:
    return EntryState(
        site="news.example",
        url="https://news.example/a",
        verdict="article",
        lastmod=lastmod,
        checked_at=at,
        run="a-run",
    )


def test_the_same_lastmod_long_before_the_fetch_is_proof() -> None:
    assert unchanged_by_lastmod(LASTMOD, looked())


@pytest.mark.parametrize("now", ["2026-06-19T09:13:51Z", "2026-06-19T09:13:50+00:00", "2026-06-19"])
def test_another_string_is_none(now: str) -> None:
    assert not unchanged_by_lastmod(now, looked())


def test_an_older_lastmod_is_none() -> None:
    assert not unchanged_by_lastmod("2020-01-01", looked())


@pytest.mark.parametrize("text", ["", "yesterday"])
def test_no_date_is_none(text: str) -> None:
    assert not unchanged_by_lastmod(text, looked(lastmod=text))


@pytest.mark.parametrize(
    ("lastmod", "end"),
    [
        (LASTMOD, MOMENT + TICK),
        ("2026-06-19T09:13Z", datetime(2026, 6, 19, 9, 14, tzinfo=UTC)),
        ("2026-06-19", datetime(2026, 6, 20, tzinfo=UTC)),
        ("2026-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2024", datetime(2025, 1, 1, tzinfo=UTC)),
        ("2026-06-19T11:13:50+02:00", MOMENT + TICK),
    ],
)
def test_the_fetch_is_later_by_the_precision_and_fifteen_minutes(
    lastmod: str, end: datetime
) -> None:
    proof = end + timedelta(minutes=15)
    assert not unchanged_by_lastmod(lastmod, looked(proof, lastmod))
    assert unchanged_by_lastmod(lastmod, looked(proof + TICK, lastmod))


@pytest.mark.parametrize("far", ["9999", "9999-12", "9999-12-31", "9999-12-31T23:59:59Z"])
def test_the_end_of_time_is_no_proof_and_no_error(far: str) -> None:
    assert not unchanged_by_lastmod(far, looked(lastmod=far))


@settings(deadline=None)
@given(st.text(max_size=40) | st.datetimes().map(str), st.datetimes(timezones=st.just(UTC)))
def test_it_never_raises(lastmod: str, at: datetime) -> None:
    unchanged_by_lastmod(lastmod, looked(at, lastmod))


WITHIN = timedelta(days=30)
NOW = LONG_AFTER
DAY = timedelta(days=1)


def verified(url: str, days_ago: float) -> EntryState:
    return EntryState(
        site="n.example",
        url=url,
        verdict="article",
        checked_at=NOW,
        run="r",
        verified_at=NOW - timedelta(days=days_ago),
    )


@st.composite
def histories(draw: st.DrawFn) -> Lately:
    """Draw changes before NOW, some of them a little after it by a publisher's clock."""
    oldest, newest = sorted(draw(st.tuples(*[st.floats(-1, 4000)] * 2)), reverse=True)
    return Lately(
        changes=draw(st.integers(1, 8)), oldest=NOW - DAY * oldest, newest=NOW - DAY * newest
    )


@given(st.text(min_size=1), st.floats(0, 60), st.none() | histories(), st.integers(1, 60))
def test_every_article_is_verified_within_the_time_stated_and_never_twice_a_day(
    url: str, days: float, lately: Lately | None, within: int
) -> None:
    due = is_due(verified(url, days), NOW, DAY * within, lately)
    assert due or days < within
    assert not due or days >= min(1, within / 2)


@given(histories(), st.floats(0, 400), st.floats(0, 400), st.integers(0, 5))
def test_what_is_younger_or_was_edited_more_never_comes_later(
    lately: Lately, older: float, fresher: float, more: int
) -> None:
    younger = Lately(
        changes=lately.changes + more,
        oldest=min(lately.oldest + DAY * older, max(lately.newest, NOW)),
        newest=lately.newest + DAY * fresher,
    )
    assert interval(NOW, younger, WITHIN) <= interval(NOW, lately, WITHIN) <= WITHIN


@pytest.mark.parametrize(
    ("changes", "oldest", "newest", "days"),
    [
        (1, 0, 0, 2),  # just published
        (1, 20, 20, 10),  # as long again as half its age
        (1, 400, 400, 30),
        (4, 120, 20, 10),  # edited lately
        (4, 120, 80, 15),  # edited often
        (8, 4000, 400, 30),
        (1, -1, -1, 2),  # a publisher's clock ahead of ours
    ],
)
def test_an_interval_is_half_the_time_without_a_change(
    changes: int, oldest: int, newest: int, days: int
) -> None:
    lately = Lately(changes=changes, oldest=NOW - DAY * oldest, newest=NOW - DAY * newest)
    assert interval(NOW, lately, WITHIN) == DAY * days


def test_of_what_nothing_is_known_the_whole_time_is_taken() -> None:
    assert interval(NOW, None, WITHIN) == WITHIN


def test_an_article_that_never_changes_costs_a_few_readings_while_it_is_young() -> None:
    born = NOW - DAY * 90
    lately = Lately(changes=1, oldest=born, newest=born)
    state, read = structs.replace(verified("https://n.example/a", 0), verified_at=born), 0
    for hour in range(24 * 90):
        now = born + timedelta(hours=hour)
        if is_due(state, now, WITHIN, lately):
            state, read = structs.replace(state, verified_at=now), read + 1
    assert 10 <= read <= 20


@pytest.mark.parametrize("born", [0, 400])
def test_due_dates_are_spread(born: int) -> None:
    lately = Lately(changes=1, oldest=NOW - DAY * born, newest=NOW - DAY * born)
    middle = 0.75 * interval(NOW, lately, WITHIN) / DAY
    urls = (f"https://n.example/{n}" for n in range(400))
    due = [is_due(verified(url, middle), NOW, WITHIN, lately) for url in urls]
    assert 100 < sum(due) < 300


def test_what_was_never_verified_is_due() -> None:
    state = EntryState(site="n", url="u", verdict="article", checked_at=NOW, run="r")
    assert is_due(state, NOW, WITHIN, None)


def test_a_verification_that_lies_ahead_is_not_believed_but_for_a_clock_set_back() -> None:
    assert is_due(verified("u", -400), NOW, WITHIN, None)
    assert not is_due(verified("u", -0.05), NOW, WITHIN, None)
