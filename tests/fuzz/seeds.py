"""What each target starts from: small true examples, made by the newsroom and the archive's tests.

Beside them stand a few shapes that the newsroom never writes but that others do, so that the
fuzzer need not find them letter by letter.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache

import brotli
import msgspec
import zstandard

from crawler.demo.newsroom import Newsroom
from storage.manifest import encode
from storage.warc import build_response, new_record_id
from storage.web.resourcesync import Item, document
from tests.storage import segment_samples

ORIGIN = "https://news.example"
Seeds = Callable[[], Iterable[bytes]]

_LINKS = (
    b'<https://news.example/a.md>; rel="alternate"; type="text/markdown", </a>; rel=canonical',
    b'</b>; rel="alternate stylesheet"; title*=UTF-8\'\'%e2%82%ac; anchor="/c"; hreflang=de\n<d>',
)
_FIELDS = (
    b"Retry-After: 120\nLocation: /a?b#c\nSet-Cookie: a\nRetry-After: Sun, 06 Nov 94 08:49:37 GMT",
    b"Location: //other.example/x\nLocation: javascript:alert(1)\nLocation: \xff\nRetry-After: -1",
)
_TIMES = (
    b"2026-06-19T09:13:50.166750+00:00",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
    b"19 Jun 2026 09:13 EST",
    b"20260619T091350,5+0530",
    b"2026-06-19 08:09:44 -0800",
    b"2026-06",
)
_PAGES = (
    b"/a/../b/./%7e?x=1&utm_source=y#z\nhttps://news.example/2026/",
    b"HTTP://EX\xc3\x84MPLE.org:80/%e9//..?a=%zz\n",
    b"http://[::ffff:7f00:1]:8080/\nhttp://0x7f.1/\n//host/CON/nul.txt\nhttps://u:p@h/",
)
_CONFIG = (
    b'into = "mirror"\n[[site]]\nurl = "https://news.example/"\nrate = 2\nformats = ["html"]\n',
    (
        b'[defaults]\nrate = 5\ncrawl_delay = 1\n[[site]]\nurl = "https://b.example/news"\n'
        b'headers = { Authorization = { env = "T" } }\nschedule = "0 * * * *"\n'
    ),
)
_HTML = (
    (
        b'<!doctype html><html><base href="/x/"><meta charset=koi8-r><meta http-equiv=Refresh'
        b' content="0;url=/y"><div class=hentry><h1 class=entry-title>A</h1><time class=updated '
        b'datetime=2026-06-19>x</time></div><div itemscope itemtype="https://schema.org/NewsArticle">'
        b"<p itemprop=articleBody>b<script>var a='</p>'</script><pre>  c</pre><table><td>d</table>"
    ),
)
_MARKDOWN = (
    b'+++\ntitle = "A"\ndate = 2026-06-19T09:13:50Z\ntags = ["a"]\n+++\n# A\n[b](c?utm_id=d)\n',
    b"---\ntitle: &a [b, *a]\n<<: {c: !!python/object d}\nupdated: 2026-06-19\n...\nwords\n===\n",
    b'{"title": "A", "updated": "2026-06-19"}\n\nwords\n',
)
_JSON = (
    (
        b'[{"@graph":[{"@type":["BlogPosting"],"@id":"#a","headline":{"@value":"A"},"author":{"@id":'
        b'"#b"}},{"@type":"WebPage","mainEntity":{"@id":"#a"},"keywords":"a, b"}]}]'
    ),
    (
        b'{"id":7,"slug":"a","title":{"rendered":"A &amp; B"},"content":{"rendered":"<p>c</p>"},'
        b'"modified_gmt":"2026-06-19T09:13:50","date":"2026-06-18T00:00:00","link":"https://n.example/a"}'
    ),
)
_FEEDS = (
    (
        b'<?xml version="1.0"?><rss version="2.0"><channel><title>A</title><item><title>B</title>'
        b"<link>https://news.example/b</link><pubDate>Fri, 19 Jun 2026 09:13 GMT</pubDate></item>"
        b"</channel></rss>"
    ),
    (
        b'{"version":"https://jsonfeed.org/version/1.1","items":[{"id":"1","url":"/a","date_modified":'
        b'"2026-06-19T09:13:50Z"}],"next_url":"/2"}'
    ),
    (
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        b'xmlns="http://purl.org/rss/1.0/"><item rdf:about="/a"><link>/a</link></item></rdf:RDF>'
    ),
)
_ROBOTS = (
    (
        b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /a*b$\nAllow: /%7Ec\nCrawl-delay: 0.5\n\n"
        b"User-Agent: SlugLine\nDisallow:\nSitemap: /s.xml\n/a/xb"
    ),
)
_MAPS = (
    b"<sitemapindex><sitemap><loc>/1.xml</loc><lastmod>2026-06-19</lastmod></sitemap></sitemapindex>",
    b"https://news.example/a\nhttps://news.example/b\n",
    b'<!DOCTYPE urlset [<!ENTITY a "b">]><urlset><url><loc>&a; & c</loc></url></urlset>',
)


@lru_cache(1)
def newsroom() -> Newsroom:
    """Make a newsroom of two stories."""
    return Newsroom.create(ORIGIN, 2)


def pages(*suffixes: str) -> Iterable[bytes]:
    """Give every page of the newsroom whose path ends so, of a size that mutates well."""
    room = newsroom()
    for path in room.paths():
        last = path.rpartition("/")[2]
        if any(last.endswith(end) if end else "." not in last for end in suffixes):
            yield room.page(path).body[:12_000]


def html() -> Iterable[bytes]:
    """Give the newsroom's pages, and one of other people's manners."""
    return (*pages(""), *_HTML)


def markdown() -> Iterable[bytes]:
    """Give the newsroom's Markdown, and the other kinds of front matter."""
    return (*pages(".md"), *_MARKDOWN)


def json() -> Iterable[bytes]:
    """Give JSON-LD and records."""
    seeds = [msgspec.json.encode(record) for record in newsroom().records]
    return (*pages(".jsonld"), *_JSON, *seeds)


def json_lines() -> Iterable[bytes]:
    """Give lists of articles, as --records takes them."""
    lines = b"\n".join(msgspec.json.encode(record) for record in newsroom().records)
    return (lines, b'{"articles": [%s]}' % lines.replace(b"\n", b","), b"# list\n" + _MAPS[1])


def feeds() -> Iterable[bytes]:
    """Give feeds of every kind."""
    return (*pages(".atom"), *_FEEDS)


def sitemaps() -> Iterable[bytes]:
    """Give sitemaps of every kind, and what else is found in their place."""
    found = tuple(pages(".xml"))
    return (*found, *(gzip.compress(each, mtime=0) for each in found[:1]), *_MAPS, *_FEEDS)


def lists() -> Iterable[bytes]:
    """Give lists as another slugline writes them, and sitemaps in their place."""
    article = {"slug": "a%2Fb", "updated_at": "2026-06-19T09:13:50Z", "format": "html"}
    about = {"hash": f"sha-256:{'0a' * 32}", "type": "text/html"}
    links = ({"rel": "via", "href": "http://news.example/a"},)
    items = [Item(loc="http://mirror.example/a", about=about, article=article, links=links)] * 2
    return (document("urlset", {"capability": "resourcelist"}, (), items), *sitemaps())


def texts() -> Iterable[bytes]:
    """Give plain texts, llms.txt and robots.txt among them."""
    return (*pages(".txt"), *_ROBOTS)


def every_format() -> Iterable[bytes]:
    """Give some of each kind."""
    return (*html(), *markdown(), *json(), *texts(), *feeds(), b"%PDF-1.7\n", b"PK\x03\x04")


def charsets() -> Iterable[bytes]:
    """Give a line that names a charset, then a body."""
    words = "Über die Brücke \u6a4b"
    named = ("utf-8", "utf-16", "shift_jis", "gb18030")
    return [b"text/html; charset=%s\n" % n.encode() + words.encode(n, "replace") for n in named]


def coded() -> Iterable[bytes]:
    """Give a byte that chooses the coding, then a body under it."""
    body = b"words of the story, " * 20
    packed = (
        gzip.compress(body, mtime=0),
        zlib.compress(body),
        brotli.compress(body),
        zstandard.compress(body),
        brotli.compress(gzip.compress(body, mtime=0)),
    )
    return [bytes([number]) + each for number, each in enumerate(packed)]


def records() -> Iterable[bytes]:
    """Give WARC records, out of their gzip members."""
    answer = build_response(
        segment_samples.payload(), record_id=new_record_id(), concurrent_to=new_record_id()
    )
    return (gzip.decompress(answer.member), *(gzip.decompress(m) for m in members()))


def members() -> Iterable[bytes]:
    """Give gzip members of an archive."""
    answer = build_response(
        segment_samples.payload(coded=True),
        record_id=new_record_id(),
        concurrent_to=new_record_id(),
    )
    return (answer.member, segment_samples.group(1, 0))


def segments() -> Iterable[bytes]:
    """Give segments of one and two groups, and one cut short."""
    one, two = segment_samples.group(1, 1, revisit=True), segment_samples.group(2, 0)
    return (one + two, two, one[:-9])


def manifests() -> Iterable[bytes]:
    """Give a manifest's JSON."""
    return (encode(segment_samples.manifest()),)


def lines(*given: bytes) -> Seeds:
    """Make seeds of what is written out here."""
    return lambda: given


LINKS, FIELDS, TIMES = lines(*_LINKS), lines(*_FIELDS), lines(*_TIMES)
PAGES, CONFIG, ROBOTS = lines(*_PAGES), lines(*_CONFIG), lines(*_ROBOTS, b"Disallow: /")
SIDES = lines(b"a\nb\nc\0a\nx\nc", b'<meta charset="utf-7">a\0\xff\xfea')
