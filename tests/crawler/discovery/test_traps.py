"""Paths that lead nowhere: dropped after fifty barren pages, and said once."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.traps import BARREN_PAGES, FAR, LOST_PAGES, Traps, pattern

HOME = "https://news.example"


def day(number: int) -> str:
    return f"{HOME}/calendar/2026/{number}"


def barren(traps: Traps, count: int, start: int = 0) -> list[bool]:
    return [traps.saw(day(number), fruitful=False) for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/calendar/2026/11", "/calendar/1999/2"),
        ("/list?page=2&sort=asc", "/list?sort=desc&page=31"),
        ("/list?page=", "/list?page=2"),
        ("/s/3f9a8c7b6d5e4f3a2b1c/x", "/s/0123456789abcdef0123/x"),
    ],
)
def test_numbers_values_and_tokens_make_no_other_pattern(one: str, other: str) -> None:
    assert pattern(HOME + one) == pattern(HOME + other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/calendar/1", "/archive/1"),
        ("/list?page=2", "/list"),
        ("/list?page=2", "/list?day=2"),
        ("/a/1", "/a/1/1"),
        ("/internationalisation", "/telecommunications"),
    ],
)
def test_words_names_and_depth_do(one: str, other: str) -> None:
    assert pattern(HOME + one) != pattern(HOME + other)


def test_fifty_barren_pages_drop_a_pattern_and_are_said_once() -> None:
    traps = Traps()
    assert barren(traps, BARREN_PAGES - 1) == [False] * 49
    assert not traps.dropped(day(99))
    assert barren(traps, 3, start=49) == [True, False, False]
    assert traps.dropped(day(99))


def test_other_patterns_go_on() -> None:
    traps = Traps()
    barren(traps, BARREN_PAGES)
    assert not traps.dropped(f"{HOME}/news/1")


@pytest.mark.parametrize("moment", [0, 1, BARREN_PAGES - 1])
def test_a_pattern_that_bore_fruit_is_not_dropped_by_fifty(moment: int) -> None:
    traps = Traps()
    barren(traps, moment)
    assert not traps.saw(day(1), fruitful=True)
    assert not any(barren(traps, BARREN_PAGES))
    assert not traps.dropped(day(99))


def test_fruit_from_a_page_already_on_its_way_takes_the_pattern_up_again() -> None:
    traps = Traps()
    barren(traps, BARREN_PAGES)
    traps.saw(day(51), fruitful=True)
    assert not traps.dropped(day(99))


@settings(deadline=None)
@given(st.text(alphabet="ab0-/?&=.~%", max_size=60))
def test_every_url_has_a_pattern_that_is_its_own_pattern(path: str) -> None:
    shape = pattern(f"{HOME}/{path}")
    assert shape.startswith("/")


def test_a_folder_that_only_leads_on_far_from_the_start_is_dropped() -> None:
    traps = Traps()
    page = "https://example.org/by/red/{}/"
    within = ["https://example.org/by/red/more/"]
    dropped = [traps.strayed(page.format(n), FAR, within) for n in range(LOST_PAGES)]
    assert dropped == [False] * (LOST_PAGES - 1) + [True]
    assert traps.dropped("https://example.org/by/blue/")
    assert not traps.dropped("https://example.org/news/a")


def test_a_folder_with_an_article_or_links_elsewhere_or_near_the_start_stays() -> None:
    page, within = "https://example.org/by/{}/", ["https://example.org/by/more/"]
    for depth, led_to, article in (
        (FAR - 1, within, ""),
        (FAR, [*within, "https://example.org/news/a"], ""),
        (FAR, within, "https://example.org/by/an-article"),
    ):
        traps = Traps()
        if article:
            traps.found(article)
        assert not any(traps.strayed(page.format(n), depth, led_to) for n in range(2 * LOST_PAGES))
        assert not traps.dropped(page.format("x"))


def test_numbers_for_names_in_a_query_are_one_pattern() -> None:
    assert pattern("https://example.org/a?17") == pattern("https://example.org/a?18")
    assert pattern("https://example.org/a?f1=x") != pattern("https://example.org/a?page=x")
