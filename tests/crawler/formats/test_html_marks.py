"""Microdata, microformats and times inside an article."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from crawler.formats.html_marks import Marks, read_marks


def marks(body: str, *, single: bool = True) -> Marks:
    tree = LexborHTMLParser(f"<body>{body}</body>")
    article = tree.css_first("article") or tree.body
    assert article is not None
    return read_marks(tree, article, single=single)


def test_properties_of_an_inner_item_are_not_the_articles() -> None:
    found = marks(
        '<article itemscope itemtype="https://schema.org/NewsArticle/"><b itemprop="headline">H</b>'
        '<div itemprop="publisher" itemscope><meta itemprop="datePublished" content="1999-01-01">'
        '</div><div itemprop="author" itemscope><i itemprop="name">Ann</i></div>'
        '<meta itemprop="datePublished dateModified" content="2024-01-01"></article>'
    )
    assert (found.itemtype, found.title, found.authors) == ("newsarticle", "H", ("Ann",))
    assert (found.published, found.updated) == (("2024-01-01",), ("2024-01-01",))


def test_several_article_items_are_a_list() -> None:
    item = '<div itemscope itemtype="http://schema.org/Article"><b itemprop="headline">H</b></div>'
    assert marks(item * 2) == Marks()


def test_times_by_class_old_and_new() -> None:
    found = marks(
        '<article class="h-entry"><h1 class="p-name">T</h1>'
        '<time class="dt-published" datetime="2024-01-01">x</time>'
        '<time class="entry-date published updated" datetime="2024-01-02">x</time>'
        '<abbr class="updated" title="2024-01-03">x</abbr><time datetime="2024-01-04">x</time>'
        "</article>"
    )
    assert found.title == "T"
    assert found.published == ("2024-01-01", "2024-01-02")
    assert found.updated == ("2024-01-03",)


def test_tags_are_the_links_that_say_so_in_the_article_itself() -> None:
    tag = '<a href="/t/1" rel="category tag">Weather &amp; Tides</a>'
    found = marks(f"<article>{tag}<a rel='nofollow'>x</a><nav><a rel='tag'>y</a></nav></article>")
    assert found.tags == ("Weather & Tides",)
    assert marks(f"<article>{tag}</article>", single=False).tags == ()


def test_times_of_what_stands_beside_do_not_count() -> None:
    time = '<time class="updated" datetime="2024-01-01">x</time>'
    assert (
        marks(f"<article><aside>{time}</aside><article>{time}</article></article>{time}") == Marks()
    )
    assert marks(f"<article>{time}</article>", single=False) == Marks()
