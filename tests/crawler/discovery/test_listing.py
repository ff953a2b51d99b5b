"""Links on pages: what is worth a request, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.listing import MAX_ANCHORS, Candidates, candidates, is_site_file
from crawler.urls import in_scope, normalise

SCOPE = "https://example.org/news/"
PAGE = "https://example.org/news/"


def test_links_are_normalised_once_each_and_in_scope() -> None:
    anchors = ["one", "/news/one#top", "two?b=1", "https://EXAMPLE.org:443/news/one", "/other/x"]
    anchors += ["//example.net/news/x", "http://example.org/news/x", "mailto:a@b.c", "", "#x", PAGE]
    assert candidates(anchors, PAGE, SCOPE) == (
        "https://example.org/news/one",
        "https://example.org/news/two?b=1",
    )


def test_further_pages_come_first_and_twins_last() -> None:
    anchors = ["a.md", "a", "b.txt", "b", "page/2/", "?page=3", "c/page-4", "?paged=5&x=1", "?p=77"]
    assert [url.removeprefix(PAGE) for url in candidates(anchors, PAGE, SCOPE)] == [
        *("page/2/", "?page=3", "c/page-4", "?paged=5&x=1"),
        *("a", "b", "?p=77"),
        *("a.md", "b.txt"),
    ]


@pytest.mark.parametrize(
    "anchor",
    [
        *("a.png", "a.JPG", "style.css", "app.js", "a.jsonld", "sitemap.xml", "data.json", "a.pdf"),
        *("x.tar.gz", "x.zip", "a.mp4", "a.woff2", "index.rss"),
        *("wp-json/wp/v2/posts/1", "wp-admin/", "wp-login.php?a=1", "xmlrpc.php", "cdn-cgi/l/x"),
        *("feed/", "feed", "one/feed/", "feed/atom/", "rss", "one/embed/", "one/trackback/"),
        *("one/comment-page-2/", "?p=1&cpage=2"),
        *("logout", "log-out?x=1", "user/login", "cart/", "sign-up"),
        *("one?replytocom=5", "?action=edit", "?s=word", "one?share=twitter", "?add-to-cart=3"),
        *("one?_wpnonce=1", "?preview=true", "one?a=1&PRINT=1", "?rest_route=/wp/v2/posts/1"),
    ],
)
def test_what_is_no_page_or_acts_on_the_server_is_left_alone(anchor: str) -> None:
    assert candidates([anchor], PAGE, SCOPE) == ()


@pytest.mark.parametrize(
    "anchor",
    [
        *("one", "one/", "one.html", "one.php?id=3", "2026/06/19/one", "node.js-in-depth"),
        *("the-feed-ends", "v2.0", "?p=12", "rss-is-back/", "carts", "a%2Epng-story"),
    ],
)
def test_what_may_be_an_article_is_kept(anchor: str) -> None:
    assert len(candidates([anchor], PAGE, SCOPE)) == 1


def test_a_page_with_endless_anchors_is_read_to_the_bound() -> None:
    assert len(candidates((f"a{i}" for i in range(MAX_ANCHORS + 5)), PAGE, SCOPE)) == MAX_ANCHORS


ANCHOR = st.text(max_size=12) | st.sampled_from(
    ["/news/a", "?page=2", "//x/", "http://[", "..", "a.md"]
)


@settings(max_examples=150)
@given(st.lists(ANCHOR, max_size=12))
def test_any_anchors_give_normal_urls_in_scope_once(anchors: list[str]) -> None:
    found = candidates(anchors, PAGE, SCOPE)
    assert len(set(found)) == len(found)
    assert all(in_scope(url, SCOPE) and normalise(url) == url and url != PAGE for url in found)


@settings(max_examples=100)
@given(st.lists(st.lists(ANCHOR, max_size=8), max_size=6))
def test_of_many_pages_the_same_is_found_as_of_each_alone(pages: list[list[str]]) -> None:
    known: set[str] = set()
    site = Candidates(SCOPE, lambda url: url not in known)
    for anchors in pages:
        urls = [url for each in anchors if (url := normalise(each, PAGE)) is not None]
        fresh = [url for url in candidates(urls, PAGE, SCOPE) if url not in known]
        assert site.among(urls, PAGE) == tuple(fresh)
        known.update(fresh[:2])


def test_more_links_than_are_kept_in_mind_are_told_all_the_same() -> None:
    site = Candidates(SCOPE, lambda url: url.endswith("/new"))
    for page in range(6):
        urls = [f"{SCOPE}{page}/{n}" for n in range(1000)]
        assert site.among([*urls, f"{SCOPE}new"], PAGE) == (f"{SCOPE}new",)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/robots.txt", True),
        ("/llms.txt", True),
        ("/docs/llms-full.txt", True),
        ("/LLMS-small.txt?v=2", True),
        ("/app-ads.txt", True),
        ("/news/robots.txt", False),
        ("/llms-explained.txt", False),
        ("/llms.txt.html", False),
        ("/llms", False),
    ],
)
def test_files_about_the_site_are_known_by_their_place(path: str, *, expected: bool) -> None:
    assert is_site_file(f"https://example.org{path}") is expected
