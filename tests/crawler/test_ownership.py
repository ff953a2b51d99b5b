"""Which site a URL belongs to, and what a new site is called."""

from __future__ import annotations

from crawler.ownership import Sites
from storage.model import Site

OUTER = Site(name="news.example", scope="https://news.example/")
INNER = Site(name="news.example~sport", scope="https://news.example/sport/")
COURTESY = Site(name="wire.example", scope="https://wire.example/", implicit=True)


def test_the_longest_scope_owns() -> None:
    sites = Sites([OUTER, INNER])
    assert sites.owner("https://news.example/sport/a") == INNER
    assert sites.owner("https://news.example/a") == OUTER
    assert sites.owner("https://other.example/a") is None


def test_a_scope_ends_at_a_segments_border() -> None:
    assert Sites([OUTER, INNER]).owner("https://news.example/sports/a") == OUTER


def test_an_article_of_an_inner_site_is_not_the_outer_ones() -> None:
    sites = Sites([OUTER, INNER])
    assert not sites.holds(OUTER, "https://news.example/sport/a")
    assert sites.holds(INNER, "https://news.example/sport/a")


def test_an_implicit_site_owns_nothing_but_holds_its_host_with_and_without_www() -> None:
    sites = Sites([COURTESY])
    assert sites.owner("https://wire.example/a") is None
    assert sites.holds(COURTESY, "https://www.wire.example/a")


def test_an_original_falls_to_the_implicit_site_that_is_there() -> None:
    sites = Sites([COURTESY])
    found = sites.owner_or_new("https://wire.example/b", "https://wire.example/", implicit=True)
    assert found == COURTESY


def test_a_site_that_the_user_asks_for_takes_an_implicit_ones_place() -> None:
    sites = Sites([COURTESY])
    site = sites.owner_or_new("https://wire.example/", "https://wire.example/")
    assert not site.implicit
    assert sites.owner("https://wire.example/a") == site


def test_the_same_host_under_another_scheme_gets_a_name_of_its_own() -> None:
    sites = Sites([OUTER])
    plain = sites.owner_or_new("http://news.example/", "http://news.example/")
    assert plain.name != OUTER.name
    assert plain.scope == "http://news.example/"
