"""What kind of page it is, as it shows itself."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.facts import Evidence, Link
from crawler.formats.html_evidence import (
    article_count,
    declared_kind,
    has_own_feed,
    is_paginated,
)
from crawler.formats.html_region import choose_region

CARD = "<div><time datetime=2024-01-01><a href=/x>1 January</a></time></div>"
COMMENT = f"<li class='comment even'>{CARD}</li>"


def link(rel: str, url: str, **fields: str) -> Link:
    return Link(rel=rel, url=url, declared_by="html", **fields)


def test_declared_kinds_in_order_of_meaning() -> None:
    tree = LexborHTMLParser('<body class="single single-post">')
    said = Evidence(type="newsarticle")
    assert declared_kind(tree, (), said, "article", "website") == ("newsarticle", "JSON-LD")
    assert declared_kind(tree, (), Evidence(), "article", "website") == ("post", "WordPress")
    plain = LexborHTMLParser('<body class="tag blue">')
    assert declared_kind(plain, (), Evidence(), "article", "website") == ("article", "microdata")
    assert declared_kind(plain, (), Evidence(), "", " Website ") == ("website", "og:type")
    assert declared_kind(plain, (), Evidence(), "", None) == ("", "")


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("single section blog", ""),
        ("blog list", ""),
        ("home blog wp-theme-x", "blog"),
        ("archive category category-news category-3", "category"),
        ("page page-id-2 page-template-default", "page"),
        ("single single-post postid-7", "post"),
        ("error404", "error404"),
    ],
)
def test_body_classes_count_only_where_wordpress_made_them(words: str, kind: str) -> None:
    tree = LexborHTMLParser(f'<body class="{words}">')
    assert declared_kind(tree, (), Evidence(), "", None)[0] == kind


def test_a_bare_class_is_believed_beside_the_link_that_wordpress_gives() -> None:
    tree = LexborHTMLParser('<body class="blog">')
    door = link("https://api.w.org/", "https://e.org/wp-json/")
    assert declared_kind(tree, (door,), Evidence(), "", None) == ("blog", "WordPress")


@pytest.mark.parametrize(
    ("rel", "target", "url", "paged"),
    [
        ("next", "https://e.org/news/page/2/", "https://e.org/news/", True),
        ("next", "https://e.org/news?page=2", "https://e.org/news", True),
        ("next", "https://e.org/blog/2", "https://e.org/blog", True),
        ("prev", "https://e.org/news/", "https://e.org/news/page/2/", True),
        ("prev", "https://e.org/2023/older-post/", "https://e.org/2024/post/", False),
        ("next", "https://e.org/chapter-two", "https://e.org/chapter-one", False),
        ("up", "https://e.org/page/2/", "https://e.org/", False),
        ("next", "https://e.org/news?start=20", "https://e.org/news?start=10", True),
        ("next", "https://e.org/blog/archive/2026/", "https://e.org/guide/", False),
        ("next", "https://e.org/errors/500/", "https://e.org/errors/404/", False),
        ("prev", "https://e.org/news/index.html", "https://e.org/news/page2/", True),
    ],
)
def test_pages_of_a_list(rel: str, target: str, url: str, paged: bool) -> None:
    assert is_paginated((link(rel, target),), url) is paged


@pytest.mark.parametrize(
    ("feed", "title", "url", "kind", "own"),
    [
        ("https://e.org/c/x/feed/", "", "https://e.org/c/x/", "", True),
        ("https://e.org/c/x/index.xml", "", "https://e.org/c/x/index.html", "", True),
        ("https://e.org/feed/", "", "https://e.org/c/x/", "", False),
        ("https://e.org/p/feed/", "P Comments Feed", "https://e.org/p/", "", False),
        ("https://e.org/p/feed/", "P", "https://e.org/p/", "post", False),
    ],
)
def test_own_feeds(feed: str, title: str, url: str, kind: str, own: bool) -> None:
    links = (link("alternate", feed, type="application/rss+xml", title=title),)
    assert has_own_feed(links, url, kind) is own


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("<main>" + "<h2><a href='/x'>x</a></h2>" * 4 + "</main>", 4),
        ("<main>" + "<h2>x <a href='#x'>#</a></h2>" * 4 + "</main>", 0),
        ("<main>" + "<h2><a href='#x'>x</a></h2>" * 4 + "</main>", 0),
        ("<main>" + "<h3><a href='/x'>x</a></h3>" * 2 + "</main>", 0),
        ("<article>" + "<h2><a href='/x'>x</a></h2>" * 4 + "</article>", 1),
        ("<div class=hentry>x</div>" * 3, 3),
        (f"<main>{CARD * 4}</main>", 4),
        (f"<main><ol class=wp-block-comment-template>{COMMENT * 4}</ol></main>", 0),
        ("<p>x", 0),
    ],
)
def test_articles_shown(body: str, count: int) -> None:
    tree = LexborHTMLParser(f"<body>{body}</body>")
    region = choose_region(tree)
    assert region is not None
    assert article_count(tree, region) == count
