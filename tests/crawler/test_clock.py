"""The system's clock."""

from __future__ import annotations

from datetime import timedelta

from crawler.clock import now_utc


def test_it_goes_on_and_is_in_utc() -> None:
    first = now_utc()
    assert first.utcoffset() == timedelta()
    assert now_utc() >= first
