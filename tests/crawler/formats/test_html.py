"""Whole pages, in the shapes of a newsroom, WordPress, Hugo and VitePress."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.digest import content_digest
from crawler.facts import Facts, Malformed
from crawler.formats.html import parse_html
from crawler.formats.naming import format_of

URL = "https://example.org/news/a"
NEWSROOM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Rates rise</title>
<link rel="canonical" href="https://example.org/news/a">
<link rel="alternate" type="text/html" href="https://example.org/news/a">
<link rel="alternate" type="text/markdown" href="/news/a.md">
<link rel="alternate" type="text/plain" href="a.txt">
<link rel="alternate" type="application/ld+json" href="a.jsonld">
<meta name="description" content="What &amp; why.">
<meta property="og:type" content="article"><meta property="og:title" content="Rates rise">
<meta property="article:published_time" content="2024-01-01T08:32:00Z">
<meta property="article:modified_time" content="2024-01-01T12:11:00Z">
<script type="application/ld+json">{"@type": "NewsArticle", "headline": "JSON's title",
"@id": "https://example.org/news/a", "author": {"name": "Ann Lee"},
"dateModified": "2023-01-01T00:00:00Z"}</script>
<style>.c{}</style></head>
<body><svg hidden><symbol id="i"/></svg><header><nav><a href="/section/world/">World</a></nav>
</header>
<main id="content"><article data-slug="a"><h1>Rates rise</h1><p class="lead">What &amp; why.</p>
<p class="by">By Ann Lee <time datetime="2024-01-01T12:11:00Z">3 hours ago</time></p>
<p>First <a href="/news/b?utm_source=x">other</a> words.</p>
<h2>Then</h2><p>Second.</p></article>
<aside><h3>Related</h3><div class="card"><a href="/news/c">C</a>
<time>2020-01-01T00:00:00Z</time></div></aside></main>
<footer><a href="/info/about/">About</a></footer><script>window.nonce="1"</script></body></html>
"""
WORDPRESS = """<!DOCTYPE html><html lang="en-US"><head><meta charset="UTF-8">
<meta name='robots' content='max-image-preview:large'><title>Hello &#8211; Blog</title>
<link rel="alternate" type="application/rss+xml" title="Blog &raquo; Feed" href="/feed/">
<link rel="alternate" type="application/rss+xml" title="Blog &raquo; Hello Comments Feed"
 href="https://example.org/2024/hello/feed/">
<link rel='stylesheet' href='/wp-includes/x.css?ver=6'>
<link rel="https://api.w.org/" href="https://example.org/wp-json/">
<link rel="alternate" title="JSON" type="application/json"
 href="https://example.org/wp-json/wp/v2/{kind}/3">
<link rel="EditURI" type="application/rsd+xml" title="RSD" href="/xmlrpc.php?rsd">
<link rel="canonical" href="https://example.org/2024/hello/">
<link rel='shortlink' href='https://example.org/?p=3'>
<link rel="alternate" title="oEmbed (JSON)" type="application/json+oembed"
 href="https://example.org/wp-json/oembed/1.0/embed?url=x">
<link rel="alternate" title="oEmbed (XML)" type="text/xml+oembed"
 href="https://example.org/wp-json/oembed/1.0/embed?url=x&amp;format=xml"></head>
<body class="{body} wp-embed-responsive"><main id="primary">
<article id="post-3" class="post-3 post type-post hentry"><header class="entry-header">
<h1 class="entry-title">Hello</h1></header><div class="entry-content"><p>Welcome to it.</p>
<div class="sharedaddy sd-sharing-enabled">Share this</div></div>
<footer class="entry-footer"><time class="entry-date published"
 datetime="2024-01-01T10:00:00+00:00">January 1</time><time class="updated"
 datetime="2024-01-02T10:00:00+00:00">J 2</time></footer>
</article>
<nav class="post-navigation"><a href="https://example.org/2023/older/" rel="prev">Older</a></nav>
<div id="comments"><article class="comment-body"><time datetime="2024-03-01T00:00:00Z">x</time>
<p>Great!</p></article></div></main></body></html>
"""


def read(html: str, url: str = URL) -> Facts:
    return parse_html(html.encode(), url, "text/html; charset=utf-8")


def digest(html: str) -> str:
    found = content_digest(read(html))
    assert found is not None
    return found.digest


def wordpress(kind: str = "posts", body: str = "single single-post postid-3") -> str:
    return WORDPRESS.replace("{kind}", kind).replace("{body}", body)


def test_reads_every_field_of_a_newsroom_page() -> None:
    facts = read(NEWSROOM)
    assert (facts.source, facts.title, facts.summary) == ("html", "Rates rise", "What & why.")
    assert facts.authors == ("Ann Lee",)
    assert (facts.lang, facts.canonical, facts.canonical_source) == ("en", URL, None)
    assert facts.updated_at is not None
    assert (facts.updated_at.at.hour, facts.updated_at.at.year) == (12, 2024)
    assert facts.published_at is not None
    formats = {format_of(link): link.url for link in facts.links if link.rel == "alternate"}
    assert formats == {
        "html": URL,
        "markdown": "https://example.org/news/a.md",
        "text": "https://example.org/news/a.txt",
        "jsonld": "https://example.org/news/a.jsonld",
    }
    assert facts.anchors == (
        "https://example.org/section/world/",
        "https://example.org/news/b?utm_source=x",
        "https://example.org/news/c",
        "https://example.org/info/about/",
    )


def test_its_words_are_the_articles_alone() -> None:
    facts = read(NEWSROOM)
    assert facts.body == "What & why.\n\nBy Ann Lee\n\nFirst other words.\n\nThen\n\nSecond."
    assert facts.words is not None
    assert "First [other](https://example.org/news/b?utm_source=x) words." in facts.words


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('nonce="1"', 'nonce="2"'),
        ("3 hours ago", "4 hours ago"),
        ("2024-01-01T12:11:00Z", "2024-02-01T12:11:00Z"),
        ('<a href="/news/c">C</a>', '<a href="/news/d">D, and much more of it</a>'),
        ("utm_source=x", "utm_source=y"),
        ("<h2>Then", '<div class="ad-slot">Buy!</div><h2 id="n1">Then'),
        ("</article>", '<div class="related-posts"><a href="/x">X</a></div></article>'),
        (
            "</article>",
            '<section id="s"><div id="comments"><p>First!</p></div></section></article>',
        ),
        ("</article>", "<script>x()</script><!-- c --><noscript>n</noscript></article>"),
        ("<p>Second.", '<p hidden>h</p><p class="x-77">Second.'),
        ("What &amp; why.</p>", "What &amp;\n why.</p>"),
        ("/section/world/", "/section/politics/"),
    ],
)
def test_the_digest_stays_through_churn(old: str, new: str) -> None:
    assert old in NEWSROOM
    assert digest(NEWSROOM.replace(old, new)) == digest(NEWSROOM)


@pytest.mark.parametrize(
    ("old", "new"),
    [("Second.", "Third."), ("/news/b?", "/news/e?"), ("Then", '<img src="/i.png">Then')],
)
def test_the_digest_moves_with_words_links_and_pictures(old: str, new: str) -> None:
    assert digest(NEWSROOM.replace(old, new)) != digest(NEWSROOM)


def test_evidence_of_an_article() -> None:
    evidence = read(NEWSROOM).evidence
    assert (evidence.type, evidence.type_source) == ("newsarticle", "JSON-LD")
    assert evidence.article_elements == 1
    assert evidence.has_heading
    assert not evidence.own_feed
    assert not evidence.paginated


def test_a_wordpress_post() -> None:
    facts = read(wordpress(), "https://example.org/2024/hello/")
    assert facts.title == "Hello"
    assert facts.body == "Welcome to it."
    assert facts.updated_at is not None
    assert facts.updated_at.at.day == 2
    assert facts.published_at is not None
    assert facts.published_at.at.day == 1
    assert (facts.evidence.type, facts.evidence.type_source) == ("post", "WordPress")
    assert facts.evidence.article_elements == 1
    assert not facts.evidence.own_feed
    assert not facts.evidence.paginated
    formats = [format_of(link) for link in facts.links if link.rel == "alternate"]
    assert [name for name in formats if name] == ["json"]


@pytest.mark.parametrize(
    ("kind", "body", "name"),
    [
        ("pages", "page page-id-3", "page"),
        ("categories", "archive category category-news", "category"),
        ("tags", "archive tag tag-x", "tag"),
        ("users", "archive author", "user"),
    ],
)
def test_wordpress_pages_that_are_no_posts(kind: str, body: str, name: str) -> None:
    page = wordpress(kind, body)
    assert read(page).evidence.type == name
    without_rest = page.replace(f"wp/v2/{kind}/3", "other/3")
    expected = "" if kind == "pages" else name
    assert read(without_rest).evidence.type == expected


def test_a_category_with_its_own_feed_and_pages() -> None:
    url = "https://example.org/category/x/"
    page = (
        '<html><head><link rel="alternate" type="application/rss+xml" href="feed/">'
        '<link rel="next" href="page/2/"></head><body class="archive category category-4"><main>'
        + "<article class='hentry'><h2><a href='/p'>P</a></h2></article>" * 3
        + "</main></body></html>"
    )
    evidence = read(page, url).evidence
    assert evidence.own_feed
    assert evidence.paginated
    assert evidence.article_elements == 3
    assert evidence.type == "category"


def test_a_list_of_cards_without_any_declaration() -> None:
    card = '<li class="card"><a href="/n">T</a> <time>2024-01-01</time><p>Long lead.</p></li>'
    page = f"<html><body><main><h1>News</h1><ol>{card * 5}</ol></main></body></html>"
    assert read(page).evidence.article_elements == 5


def test_a_hugo_page_with_a_zero_date() -> None:
    page = """<html lang="en"><head><title>P | Site</title>
    <meta property="og:title" content="P"><meta property="og:type" content="article">
    <meta property="article:modified_time" content="0001-01-01T00:00:00+00:00">
    <meta itemprop="name" content="P"><meta itemprop="dateModified" content="x">
    <link rel="alternate" type="text/markdown" href="/posts/p/index.md">
    </head><body><article><h1>P</h1><p>W</p>
    <time class="dt-updated" datetime="2024-05-01T10:00:00+02:00">May</time></article>"""
    facts = read(page, "https://example.org/posts/p/")
    assert facts.updated_at is not None
    assert (facts.updated_at.at.year, facts.updated_at.offset) == (2024, 120)


def test_a_hugo_section_has_its_own_feed() -> None:
    page = (
        '<head><link rel="alternate" type="application/rss+xml" href="/posts/index.xml"></head>'
        "<body><main><h1>Posts</h1></main></body>"
    )
    assert read(page, "https://example.org/posts/").evidence.own_feed
    assert not read(page, "https://example.org/posts/a/").evidence.own_feed


def test_a_vitepress_page() -> None:
    page = """<!DOCTYPE html><html lang="en-US" dir="ltr"><head><title>Guide | Docs</title>
    <meta name="description" content="How."><link rel="alternate" type="text/markdown" href="/g.md">
    </head><body><div id="app"><div class="Layout"><header><a href="/">Docs</a></header>
    <aside class="VPSidebar"><a href="/g">Guide</a></aside><div class="VPContent">
    <main class="main"><div class="vp-doc"><div><h1 id="g" tabindex="-1">Guide
    <a class="header-anchor" href="#g" aria-label="Permalink">&#8203;</a></h1>
    <p>Do <a href="/x">this</a>.</p><div class="language-sh"><pre><code>a
  b</code></pre></div></div></div></main><footer class="VPDocFooter">
    <time datetime="2024-06-01T00:00:00.000Z"></time></footer></div></div></div></body></html>"""
    facts = read(page, "https://example.org/g")
    assert facts.body == "Do this.\n\na\nb"
    assert facts.title is not None
    assert facts.title.startswith("Guide")
    assert facts.summary == "How."


def test_microdata_of_one_article_counts() -> None:
    page = """<body itemscope itemtype="https://schema.org/Blog">
    <div itemscope itemtype="http://schema.org/BlogPosting"><h1 itemprop="headline">H</h1>
    <span itemprop="author" itemscope itemtype="https://schema.org/Person">
    <b itemprop="name">Ann</b></span><meta itemprop="dateModified" content="2024-01-02T00:00:00Z">
    <time itemprop="datePublished" datetime="2024-01-01T00:00:00Z">1</time>
    <div itemprop="articleBody"><p>Words</p></div></div></body>"""
    facts = read(page)
    assert (facts.title, facts.authors, facts.body) == ("H", ("Ann",), "Words")
    assert facts.updated_at is not None
    assert facts.published_at is not None
    assert (facts.evidence.type, facts.evidence.type_source) == ("blogposting", "microdata")


def test_embedded_json_ld_fills_what_the_page_leaves_out() -> None:
    page = """<head><title>T | Site</title><script type="application/ld+json; charset=utf-8">
    {"@type": "Article", "headline": "T", "dateModified": "2024-01-01T00:00:00Z",
     "inLanguage": "fr", "mentions": [{"name": "X"}]}</script></head><body><p>W</p></body>"""
    facts = read(page)
    assert (facts.title, facts.lang, facts.entities) == ("T", "fr", ("X",))
    assert facts.updated_at is not None


def test_a_foreign_canonical_is_the_source() -> None:
    page = '<link rel="canonical" href="https://www.other.example/x"><p>W'
    assert read(page).canonical_source == "https://www.other.example/x"
    own = '<link rel="canonical" href="http://www.example.org/news/a"><p>W'
    assert read(own).canonical_source is None


def test_two_canonicals_are_a_conflict() -> None:
    page = '<link rel="canonical" href="/a"><link rel="canonical" href="/b"><p>W'
    facts = read(page)
    assert facts.canonical == "https://example.org/a"
    assert [finding.kind for finding in facts.findings] == ["canonical-conflict"]


def test_a_broken_charset_is_a_finding_and_no_failure() -> None:
    facts = parse_html(b"<p>\x81\xff</p>", URL, "text/html; charset=utf-8")
    assert [finding.kind for finding in facts.findings] == ["charset"]


@pytest.mark.parametrize(
    "piece", ["<div>", "<i><div>", "<a><div>", "<span>", "<svg><g>", "<b id=1><p>"]
)
def test_depth_past_the_bound_is_malformed(piece: str) -> None:
    with pytest.raises(Malformed, match=r"nests deeper|without end"):
        read("".join(piece.replace("1", str(n)) for n in range(5_000)))


def test_an_empty_document_has_no_words() -> None:
    facts = parse_html(b"", URL)
    assert (facts.title, facts.body, facts.anchors) == (None, None, ())


_PIECES = st.sampled_from(
    [
        "<article>", "</article>", "<a href='/x' rel=next>", "</a>", "<p>", "text ", "<main>",
        "<h1>",        "<time class=updated datetime=2024-01-01>",
        "<div itemscope itemtype=x/Article>", "<pre>",
        "<i itemprop='headline author'>", "<svg>", "<template>", "<base href='/y/'>", "<table><td>",
        "<frameset>", "<link rel=alternate href=a.md>", "<meta name=robots content=none>",
        "<select>",        '<script type=application/ld+json>[{"@type":"Article"}]</script>',
        "<!--", "-->", "\x00",
    ]
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(_PIECES, max_size=25))
def test_any_markup_gives_facts(pieces: list[str]) -> None:
    try:
        facts = read("".join(pieces))
    except Malformed:
        return
    assert facts.source == "html"
