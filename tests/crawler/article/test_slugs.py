"""Slugs: what a URL suggests, and the registry's promise."""

from __future__ import annotations

from unicodedata import normalize as unicode_form

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.article.slugs import MAX_SLUG, ROOT_SLUG, Slugs, clean_slug, long_slug, slug_from_url
from crawler.urls import normalise, page_key

#: Paths that are made to collide: few letters, both forms of é, escapes, suffixes, dots.
WORDS = (
    "live Live live.html live.md index.html .. %2F %7E ~ %25 a \u00e9 e\u0301 %E9 CON nul %00 %0A "
    ".md ?p=1 ?utm_source=x"
)
PARTS = st.sampled_from([*WORDS.split(), "", "x" * 300])
URLS = st.lists(PARTS, max_size=4).map(lambda parts: "https://e.org/" + "/".join(parts))
DECLARED = st.none() | st.text(max_size=8) | PARTS


def normal(url: str) -> str:
    found = normalise(url)
    assert found is not None, url
    return found


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://e.org/2026/live", "live"),
        ("https://e.org/2026/live/", "live"),
        ("https://e.org/2026/live.html", "live"),
        ("https://e.org/2026/live.HTM", "live"),
        ("https://e.org/live.html.md", "live"),
        ("https://e.org/live.jsonld", "live"),
        ("https://e.org/live.php", "live"),
        ("https://e.org/live.pdf", "live.pdf"),
        ("https://e.org/live/index.html", "live"),
        ("https://e.org/live//index.php", "live"),
        ("https://e.org/indexes", "indexes"),
        ("https://e.org/.md", ".md"),
        ("https://e.org/live%20.html", "live"),
        ("https://e.org/caf%C3%A9", "café"),
        ("https://e.org/cafe%CC%81", "café"),
        ("https://e.org/caf%E9", "caf%E9"),
        ("https://e.org/a%2Fb", "a/b"),
        ("https://e.org/a%0Ab", "a%0Ab"),
        ("https://e.org/%20", "%20"),
        ("https://e.org/a?id=3", "a?id=3"),
        ("https://e.org/a.html?utm_source=x&id=3", "a?id=3"),
        ("https://e.org/a?utm_source=x", "a"),
        ("https://e.org/?p=12", "?p=12"),
        ("https://e.org/index.php?p=12", "?p=12"),
        ("https://e.org/", ""),
        ("https://e.org/index.html", ""),
    ],
)
def test_a_url_suggests_its_last_segment(url: str, slug: str) -> None:
    assert slug_from_url(normal(url)) == slug


@pytest.mark.parametrize(
    ("url", "slug"),
    [
        ("https://e.org/2026/live", "2026~live"),
        ("https://e.org/2026/live/", "2026~live"),
        ("https://e.org/2026/live.html?id=3", "2026~live.html?id=3"),
        ("https://e.org/a~b/c%2Fd%25", "a%7Eb~c%2Fd%25"),
        ("https://e.org/2026/caf%C3%A9", "2026~café"),
        ("https://e.org/", "~"),
    ],
)
def test_a_long_slug_is_the_whole_path(url: str, slug: str) -> None:
    assert long_slug(normal(url)) == slug


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("a", "a"),
        (" a b ", "a b"),
        ("../../x", "../../x"),
        ("a/b", "a/b"),
        ("cafe\u0301", "café"),
        ("a\nb\x00", "a%0Ab%00"),
        ("a\u2028b", "a%E2%80%A8b"),
        ("\ud800", None),
        ("a\ud800", "a%ED%A0%80"),
        ("x" * MAX_SLUG, "x" * MAX_SLUG),
        ("x" * (MAX_SLUG + 1), None),
        ("聞" * 682, "聞" * 682),
        ("聞" * 683, None),
        ("\x01a" * 400, None),
        ("", None),
        (" \t", None),
        ("\x00\x1f\u200b", None),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_a_declared_slug_becomes_one_line_or_nothing(text: str, slug: str | None) -> None:
    assert clean_slug(text) == slug


@given(st.text(max_size=30))
def test_a_clean_slug_stays_as_it_is(text: str) -> None:
    slug = clean_slug(text)
    if slug is not None:
        assert clean_slug(slug) == slug
        assert slug.encode()
        assert len(slug.splitlines()) == 1
        assert unicode_form("NFC", slug) == slug


@given(URLS)
def test_what_a_url_suggests_is_one_bounded_line(url: str) -> None:
    for slug in (slug_from_url(normal(url)) or ROOT_SLUG, long_slug(normal(url))):
        assert 0 < len(slug) <= MAX_SLUG
        assert len(slug.splitlines()) == 1


# the registry


@given(st.lists(st.tuples(URLS, DECLARED), max_size=25))
def test_slugs_are_never_empty_unique_and_stable(articles: list[tuple[str, str | None]]) -> None:
    slugs = Slugs()
    slugs.reserve(normal(url) for url, _ in articles)
    owners: dict[str, str] = {}
    given_to: dict[str, str] = {}
    for url, declared in articles:
        page = page_key(normal(url))
        slug, _ = slugs.assign(normal(url), declared)
        assert slug
        assert owners.setdefault(slug, page) == page
        assert given_to.setdefault(page, slug) == slug
    again = Slugs({slug: f"https://{page}" for slug, page in owners.items()})
    for url, declared in articles:
        assert again.assign(normal(url), declared)[0] == given_to[page_key(normal(url))]


@given(st.lists(URLS, max_size=12))
def test_url_order_decides_and_not_who_answers_first(urls: list[str]) -> None:
    outcomes = []
    for order in (urls, urls[::-1]):
        slugs = Slugs()
        slugs.reserve(map(normal, urls))
        outcomes.append({page_key(normal(url)): slugs.assign(normal(url), None) for url in order})
    assert outcomes[0] == outcomes[1]


def test_two_live_pages_of_one_listing_share_the_name_by_url_order() -> None:
    slugs = Slugs()
    slugs.reserve(["https://e.org/2026/live", "https://e.org/2025/live"])
    assert slugs.assign("https://e.org/2026/live", "live") == ("2026~live", True)
    assert slugs.assign("https://e.org/2025/live", "live") == ("live", False)


def test_a_slug_past_the_bound_is_cut_and_told_apart() -> None:
    urls = [f"https://e.org/{'x' * 2_000}{n}" for n in range(3)]
    for name in (slug_from_url, long_slug):
        slugs = {name(url) for url in urls}
        assert len(slugs) == 3
        assert {len(slug) for slug in slugs} == {MAX_SLUG}


def test_a_known_slug_never_moves() -> None:
    slugs = Slugs({"live": "https://e.org/2026/live"})
    slugs.reserve(["https://e.org/2025/live", "https://e.org/2026/live"])
    assert slugs.assign("https://e.org/2025/live", None) == ("2025~live", True)
    assert slugs.assign("https://e.org/2026/live", "renamed") == ("live", False)


def test_a_declared_slug_beats_a_name_that_is_only_held() -> None:
    slugs = Slugs()
    slugs.reserve(["https://e.org/a/12345", "https://e.org/b/foo"])
    assert slugs.assign("https://e.org/a/12345", "foo") == ("foo", False)
    assert slugs.assign("https://e.org/b/foo", None) == ("b~foo", True)


def test_what_is_held_for_the_entry_serves_its_canonical() -> None:
    slugs = Slugs()
    slugs.reserve(["https://e.org/amp/live"])
    found = slugs.assign("https://e.org/2026/live", None, entry="https://e.org/amp/live")
    assert found == ("live", False)


def test_scheme_and_www_make_no_newcomer() -> None:
    slugs = Slugs({"live": "http://www.e.org/live"})
    assert slugs.assign("https://e.org/live", None) == ("live", False)


def test_an_alias_is_the_article_and_not_a_newcomer() -> None:
    slugs = Slugs({"live": "https://e.org/2026/live"})
    slugs.add_alias("https://e.org/moved/live", "live")
    assert slugs.assign("https://e.org/moved/live", None) == ("live", False)


def test_a_long_slug_that_is_taken_gets_a_digest() -> None:
    slugs = Slugs({"live": "https://e.org/live", "2026~live": "https://e.org/x"})
    slug, taken = slugs.assign("https://e.org/2026/live", None)
    assert taken
    assert slug.startswith("2026~live~")
    assert len(slug) == len("2026~live~") + 8


def test_a_roots_article_has_a_name() -> None:
    assert Slugs().assign("https://e.org/", "\x00") == (ROOT_SLUG, False)
