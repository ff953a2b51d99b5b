"""Which part of a page is its article."""

from __future__ import annotations

import pytest
from selectolax.lexbor import LexborHTMLParser

from crawler.formats.html_region import Region, choose_region

LONG = "<p>" + "word " * 60 + "</p>"


def region(body: str) -> Region:
    found = choose_region(LexborHTMLParser(f"<body>{body}</body>"))
    assert found is not None
    return found


def test_the_only_article_is_it() -> None:
    found = region(
        f'<main><article id="a">{LONG}</article><aside><article>x</article></aside></main>'
    )
    assert (found.content.id, found.marked, found.articles) == ("a", True, 1)


@pytest.mark.parametrize(
    "page",
    [
        f'<article id="a" role="article">{LONG}</article>',
        f'<article id="x"><div id="a" class="entry-content prose">{LONG}</div></article>',
    ],
)
def test_what_is_marked_twice_is_one(page: str) -> None:
    found = region(f"<main>{page}<p>{LONG}</p></main>")
    assert (found.content.id, found.marked, found.articles) == ("a", True, 1)


def test_comments_are_articles_beside_it() -> None:
    page = (
        f'<article id="a" class="hentry">{LONG}<div class="comments"><article>c</article></div>'
        '</article><section id="comments"><article class="comment">d</article></section>'
    )
    assert (region(page).content.id, region(page).articles) == ("a", 1)


def test_of_several_the_one_with_the_heading_or_most_of_the_text() -> None:
    teasers = "<article><h2>x</h2></article>" * 3
    assert region(f'<article id="a"><h1>T</h1></article>{teasers}').content.id == "a"
    assert region(f'<article id="a">{LONG}</article>{teasers}').content.id == "a"


def test_several_alike_are_a_list() -> None:
    found = region(f'<main id="m">{f"<article>{LONG}</article>" * 3}</main>')
    assert (found.content.id, found.marked, found.articles) == ("m", False, 3)


@pytest.mark.parametrize("mark", ['class="entry-content"', 'itemprop="articleBody"'])
def test_a_marked_content_within_it_is_the_words(mark: str) -> None:
    found = region(f'<article id="a"><p>By</p><div id="c" {mark}>{LONG}</div></article>')
    assert (found.content.id, found.article.id) == ("c", "a")


def test_a_marked_content_with_little_of_the_text_is_not() -> None:
    found = region(f'<article id="a">{LONG}<div id="c" class="prose">x</div></article>')
    assert found.content.id == "a"


def test_without_any_mark_the_main_part_or_all() -> None:
    assert region(f'<main id="m">{LONG}</main>').content.id == "m"
    assert region(f'<div id="content">{LONG}</div>').content.id == "content"
    assert region(LONG).content.tag == "body"
