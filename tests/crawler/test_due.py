"""Least requests: when a sitemap's lastmod proves that nothing has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.due import is_due, unchanged_by_lastmod
from storage.model import EntryState

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


def verified(url: str, days_ago: float) -> EntryState:
    return EntryState(
        site="n.example",
        url=url,
        verdict="article",
        checked_at=NOW,
        run="r",
        verified_at=NOW - timedelta(days=days_ago),
    )


@given(st.text(min_size=1), st.floats(0, 60))
def test_every_article_is_verified_within_the_time_stated(url: str, days: float) -> None:
    due = is_due(verified(url, days), NOW, WITHIN)
    assert due or days < 30
    assert not due or days >= 15


def test_due_dates_are_spread() -> None:
    due = [is_due(verified(f"https://n.example/{n}", 22.5), NOW, WITHIN) for n in range(400)]
    assert 100 < sum(due) < 300


def test_what_was_never_verified_is_due() -> None:
    state = EntryState(site="n", url="u", verdict="article", checked_at=NOW, run="r")
    assert is_due(state, NOW, WITHIN)
