"""Whether a site's sitemap dates can be believed."""

from __future__ import annotations

from datetime import UTC, datetime

from crawler.site.honesty import Honesty
from storage.model import Stamp

NOON = Stamp(at=datetime(2026, 6, 19, 12, tzinfo=UTC), unit="second", offset=0)


def seen(agreeing: int, lying: int = 0) -> Honesty:
    honesty = Honesty()
    for _ in range(agreeing):
        honesty = honesty.compare("2026-06-19T12:00:00Z", [NOON])
    for _ in range(lying):
        honesty = honesty.compare("2026-06-20T12:00:00Z", [NOON])
    return honesty


def test_nothing_is_proven_before_anything_was_compared() -> None:
    assert not Honesty().proven
    assert seen(1).proven


def test_one_in_twenty_may_differ() -> None:
    assert seen(19, 1).proven
    assert not seen(18, 2).proven


def test_a_date_without_a_time_agrees_with_a_time_of_that_day() -> None:
    assert Honesty().compare("2026-06-19", [NOON]).agreed == 1


def test_articles_without_a_date_of_their_own_say_nothing() -> None:
    assert Honesty().compare("2026-06-19", []) == Honesty()
    assert Honesty().compare("", [NOON]) == Honesty()


def test_once_caught_it_is_not_believed() -> None:
    assert not seen(100).caught().proven
