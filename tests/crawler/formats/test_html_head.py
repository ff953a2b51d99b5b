"""A page's links, metas, base and anchors."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.facts import Link
from crawler.formats.html_head import (
    MAX_ANCHORS,
    MAX_LINKS,
    base_url,
    read_anchors,
    read_links,
    read_meta,
    refresh_target,
    related_anchors,
)

URL = "https://example.org/news/a"


def tree(html: str) -> LexborHTMLParser:
    return LexborHTMLParser(html)


def links_of(page: LexborHTMLParser) -> tuple[Link, ...]:
    return read_links(page, related_anchors(page), URL)


def anchors_of(page: LexborHTMLParser) -> tuple[str, ...]:
    return read_anchors(page, related_anchors(page), URL)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ('<base href="/x/">', "https://example.org/x/"),
        ('<base target="_top"><base href="y/"><base href="/z/">', "https://example.org/news/y/"),
        ('<base href="mailto:a@b">', URL),
        ("", URL),
    ],
)
def test_the_base_is_the_first_that_gives_an_address(base: str, expected: str) -> None:
    assert base_url(tree(base), URL) == expected


def test_links_stand_in_head_and_body_and_are_resolved() -> None:
    page = tree('<link rel="Canonical" href="b"><body><link rel="alternate next" href="/c"></body>')
    assert [(link.rel, link.url) for link in links_of(page)] == [
        ("canonical", "https://example.org/news/b"),
        ("alternate", "https://example.org/c"),
        ("next", "https://example.org/c"),
    ]


@pytest.mark.parametrize(
    "link",
    [
        '<link rel="stylesheet" href="x.css">',
        '<link rel="shortcut icon" href="">',
        '<link rel="preload" href="x">',
        '<link rel="canonical">',
        '<link rel="canonical" href="android-app://x/y">',
        '<link rel="alternate stylesheet" href="x">',
        '<a rel="alternate" href="/other">beside</a>',
        '<a rel="author" href="/ann">Ann</a>',
    ],
)
def test_what_is_no_typed_link(link: str) -> None:
    assert links_of(tree(link)) == ()


def test_anchors_with_a_typed_relation_are_links_too() -> None:
    page = tree(
        '<a rel="next" href="/p/2">2</a><a rel="alternate" type="text/markdown" href="a.md">MD</a>'
    )
    assert [link.rel for link in links_of(page)] == ["next", "alternate"]


def test_links_and_anchors_are_bounded() -> None:
    links = "".join(f'<link rel="alternate" href="/{n}">' for n in range(MAX_LINKS + 5))
    assert len(links_of(tree(links))) == MAX_LINKS
    anchors = "".join(f'<a href="/{n}">' for n in range(MAX_ANCHORS + 5))
    assert len(anchors_of(tree(anchors))) == MAX_ANCHORS


def test_anchors_come_once_in_order_without_the_unwanted() -> None:
    page = tree(
        '<a href="/b">1</a><a href="#x">2</a><a href="/b#y">3</a><a href="javascript:x()">4</a>'
        '<a rel="ugc NoFollow" href="/n">5</a><a>6</a><map><area href="c"></map>'
    )
    assert anchors_of(page) == ("https://example.org/b", "https://example.org/news/c")


def test_a_link_within_a_drawing_is_none() -> None:
    page = tree('<svg><a xlink:href="/x" rel="next nofollow">1</a><a xlink:href="/y">2</a></svg>')
    assert links_of(page) == ()
    assert anchors_of(page) == ()


def test_an_anchor_that_is_shunned_once_and_not_elsewhere_is_kept() -> None:
    page = tree('<a rel="nofollow" href="/b">1</a><a href="/c">2</a><a rel="x" href="/b">3</a>')
    assert anchors_of(page) == ("https://example.org/c", "https://example.org/b")


@pytest.mark.parametrize("rel", ["next", f"{'x ' * 100}next"])
def test_long_lists_of_relations_are_read_as_short_ones(rel: str) -> None:
    page = tree(f'<link rel="icon {rel}" href="/b"><a rel="{rel}" href="/c">')
    assert [link.url for link in links_of(page) if link.rel == "next"] == [
        "https://example.org/b",
        "https://example.org/c",
    ]


def test_metas_by_name_or_property_with_all_their_values() -> None:
    meta = read_meta(
        tree(
            '<meta property="article:tag" content="a"><meta property="article:tag" content=" b ">'
            '<meta name="Description" content="D"><meta name="empty" content="">'
        )
    )
    assert meta.all("article:tag") == ("a", "b")
    assert meta.first("empty", "description") == "D"
    assert meta.first("x") is None


def test_robots_for_all_and_for_named_agents() -> None:
    meta = read_meta(
        tree(
            '<meta name="robots" content="NoIndex, max-snippet:5">'
            '<meta name="googlebot" content="noarchive"><meta name="slugline" content="nofollow">'
        )
    )
    assert meta.robots == "noindex, max-snippet:5, googlebot: noarchive, slugline: nofollow"
    assert meta.nofollow
    assert not read_meta(tree('<meta name="googlebot" content="nofollow">')).nofollow
    assert read_meta(tree('<meta name="robots" content="none">')).nofollow


def test_what_a_page_says_of_text_and_data_mining() -> None:
    meta = read_meta(
        tree(
            '<meta name="TDM-Reservation" content=" 1 "><meta name="tdm-policy" content="/terms">'
            '<meta name="tdm-other" content="x">'
        )
    )
    assert meta.tdm == {"tdm-reservation": "1", "tdm-policy": "/terms"}
    assert read_meta(tree("")).tdm == {}


@pytest.mark.parametrize(
    ("content", "target"),
    [
        ("0; url=/b", "https://example.org/b"),
        ("0;URL='b'", "https://example.org/news/b"),
        ('1 , url = "https://example.org/c" rest', "https://example.org/c"),
        ("0 /d", "https://example.org/d"),
        ("0.5;/e", "https://example.org/e"),
        ("300; url=/b", None),
        ("0", None),
        ("5;", None),
        ("; url=/b", None),
        ("0; url=javascript:x()", None),
    ],
)
def test_a_refresh_at_once_leads_on(content: str, target: str | None) -> None:
    page = tree(f'<meta http-equiv="Refresh" content="{content.replace(chr(34), "&quot;")}">')
    assert refresh_target(read_meta(page), URL) == target
