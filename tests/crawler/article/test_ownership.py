"""Which site a URL belongs to, and what a new site is called."""

from __future__ import annotations

import pytest

from crawler.article.ownership import Sites
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


# sites that a config.toml names


def test_a_configured_site_has_its_own_label() -> None:
    sites = Sites([], [("https://news.example/", "news"), ("https://other.example/", "")])
    assert sites.owner("https://news.example/a") == Site(name="news", scope="https://news.example/")
    other = sites.owner("https://other.example/a")
    assert other is not None
    assert other.name == "other.example"


def test_the_label_that_a_mirror_has_already_stays() -> None:
    sites = Sites([OUTER], [("https://news.example/", "news")])
    assert sites.owner("https://news.example/a") == OUTER


def test_a_section_inside_another_configured_site_is_a_site_of_its_own() -> None:
    both = [("https://news.example/sport/", "sport"), ("https://news.example/", "news")]
    for asked in (both, both[::-1]):
        sites = Sites([], asked)
        inner, outer = (sites.owner(f"https://news.example/{path}") for path in ("sport/a", "a"))
        assert inner == Site(name="sport", scope="https://news.example/sport/")
        assert outer == Site(name="news", scope="https://news.example/")


def test_a_section_of_an_older_site_alone_stays_that_sites() -> None:
    sites = Sites([OUTER], [("https://news.example/sport/", "")])
    assert sites.owner("https://news.example/sport/a") == OUTER


def test_a_courtesy_gives_way_to_a_configured_site() -> None:
    sites = Sites([COURTESY], [("https://wire.example/", "")])
    assert sites.owner("https://wire.example/a") == Site(
        name="wire.example", scope="https://wire.example/"
    )


@pytest.mark.parametrize("site", [OUTER, INNER, COURTESY])
def test_the_sites_of_its_origin_settle_what_a_site_holds(site: Site) -> None:
    other = Site(name="other.example", scope="https://other.example/")
    sites = Sites([OUTER, INNER, COURTESY, other])
    near = Sites(sites.near(site))
    for host in (
        "news.example",
        "www.news.example",
        "other.example",
        "wire.example",
        "new.example",
    ):
        for path in ("", "a", "sport/a", "sports"):
            url = f"https://{host}/{path}"
            assert near.holds(site, url) == sites.holds(site, url), url
