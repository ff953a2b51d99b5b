"""Classes of boxes are told from classes of what is read."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser, LexborNode

from crawler.formats.html_boxes import is_beside, is_box


def node(html: str) -> LexborNode:
    body = LexborHTMLParser(html).body
    assert body is not None
    assert body.first_child is not None
    return body.first_child


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
    assert is_box(node(f'<div class="x {name}">'))


@pytest.mark.parametrize(
    "name",
    [
        "entry-content", "has-sidebar", "category-social", "tag-ads", "elementor-widget-container",
        "social-issues", "adrift", "commentary", "navigational", "section", "lead", "c7", "",
        "views-row", "recommended-dose", "status-publish", "shared",
    ],
)  # fmt: skip
def test_what_is_read(name: str) -> None:
    assert not is_box(node(f'<div class="{name}">'))


def test_ids_of_chapters_are_no_boxes() -> None:
    assert is_box(node('<div id="comments">'))
    assert not is_box(node('<div class="section" id="comments">'))
    assert not is_box(node('<section id="comments">'))
    assert not is_box(node('<div id="related">'))


def test_comments_and_related_articles_stand_beside() -> None:
    assert is_beside(node('<article class="comment-body">'))
    assert is_beside(node('<div class="post-related">'))
    assert not is_beside(node('<article class="hentry comments-open no-comments">'))
    assert not is_beside(node('<article class="post category-related-news">'))


def test_endless_class_names_are_no_boxes() -> None:
    assert not is_box(node(f'<div class="{"a-" * 50_000}ad">'))
