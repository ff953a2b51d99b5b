"""Classes of boxes are told from classes of what is read."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.formats.html_boxes import MAX_REMEMBERED, is_beside, is_box


def node(html: str) -> LexborNode:
    body = LexborHTMLParser(html).body
    assert body is not None
    assert body.first_child is not None
    return body.first_child


def boxed(html: str) -> bool:
    given = node(html)
    return is_box(given.tag or "", given.attributes)


@pytest.mark.parametrize(
    "name",
    [
        "ad", "ads", "ad-slot", "post-ad-container", "related-posts", "jp-relatedposts",
        "sharedaddy",        "social-links", "comments", "comment-list", "newsletter-signup",
        "header-anchor", "widget",
        "article__related", "breadcrumbs", "post-navigation", "entry-meta", "cookie-banner",
    ],
)  # fmt: skip
def test_boxes(name: str) -> None:
    assert boxed(f'<div class="x {name}">')


@pytest.mark.parametrize(
    "name",
    [
        "entry-content", "has-sidebar", "category-social", "tag-ads", "elementor-widget-container",
        "social-issues", "adrift", "commentary", "navigational", "section", "lead", "c7", "",
        "views-row", "recommended-dose", "status-publish", "shared",
    ],
)  # fmt: skip
def test_what_is_read(name: str) -> None:
    assert not boxed(f'<div class="{name}">')


def test_ids_of_chapters_are_no_boxes() -> None:
    assert boxed('<div id="comments">')
    assert not boxed('<div class="section" id="comments">')
    assert not boxed('<section id="comments">')
    assert not boxed('<div id="related">')


def test_comments_and_related_articles_stand_beside() -> None:
    assert is_beside(node('<article class="comment-body">'))
    assert is_beside(node('<div class="post-related">'))
    assert not is_beside(node('<article class="hentry comments-open no-comments">'))
    assert not is_beside(node('<article class="post category-related-news">'))


def test_endless_class_names_are_no_boxes() -> None:
    assert not boxed(f'<div class="{"a-" * 50_000}ad">')


def test_long_lists_of_classes_are_read_as_short_ones() -> None:
    for _ in range(2):
        for many in ("", "x " * MAX_REMEMBERED):
            assert boxed(f'<div class="{many}ad">')
            assert not boxed(f'<div class="{many}lead">')
            assert is_beside(node(f'<div class="{many}comments">'))
            assert not is_beside(node(f'<div class="{many}comments-open">'))


def test_what_stands_beside_an_article_is_told_by_its_id_too() -> None:
    assert is_beside(node('<section id="comments">words</section>'))
    assert not is_beside(node('<section id="chapter-2">words</section>'))
