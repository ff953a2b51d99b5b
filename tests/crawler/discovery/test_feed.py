"""Feeds: RSS, Atom and JSON Feed as published, as broken, and as attacks."""

from __future__ import annotations

import contextlib
import gzip
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.feed import MAX_TAGS, Feed, FeedEntry, parse_feed
from crawler.facts import Malformed

URL = "https://example.org/blog/feed"

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://example.org/a/">
<title>The <![CDATA[ Paper ]]></title><link rel="self" href="feed"/><link href="/"/>
<link rel="next" href="feed?p=2"/><link rel="prev-archive" href="/2025/feed"/>
<entry xml:base="sub/"><title type="text">One
  more</title><id>urn:x:1</id>
<link rel="alternate" type="text/markdown" href="one.md"/>
<link rel="alternate" hreflang="fr" href="un"/><link rel="edit" href="edit"/>
<link rel="alternate" type="text/html" href="one"/>
<updated>2026-06-19</updated><published>2026-06-19T08:00:00</published></entry>
<entry><title>Two</title><link href="two"/>
<updated>2026-06-19T09:13:50.166750+02:00</updated></entry>
</feed>"""

RSS = """<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:fb="http://rssnamespace.org/feedburner/ext/1.0">
<channel><title>Paper</title><link>https://example.org/</link>
<atom:link rel="next" href="?paged=2"/><lastBuildDate>Fri, 19 Jun 2026 10:00:00 GMT</lastBuildDate>
<item><title>A</title><link>/one</link><guid>https://example.org/?p=1</guid>
<pubDate>Fri, 19 Jun 2026 10:00 IST</pubDate><atom:updated>2026-06-20</atom:updated></item>
<item><title>B</title><guid>https://example.org/two</guid><dc:date>2026-06-19</dc:date></item>
<item><title>C</title><guid isPermaLink="false">https://example.org/no</guid></item>
<item><title>D</title><link>https://feeds.example.net/~r/x</link>
<fb:origLink>https://example.org/four</fb:origLink></item>
</channel></rss>"""

RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel rdf:about="https://example.org/"><title>Old</title></channel>
<item rdf:about="https://example.org/one"><title>A</title><link>https://example.org/one</link>
<dc:date>2026-06-19T08:00Z</dc:date></item></rdf:RDF>"""


def parse(text: str, media_type: str = "") -> Feed:
    return parse_feed(text.encode(), URL, media_type)


def test_atom_links_are_resolved_and_the_page_is_chosen_among_them() -> None:
    assert parse(ATOM) == Feed(
        kind="atom",
        title="The Paper",
        entries=(
            FeedEntry(
                url="https://example.org/a/sub/one",
                title="One more",
                updated="2026-06-19",
                published="2026-06-19T08:00:00",
            ),
            FeedEntry(
                url="https://example.org/a/two",
                title="Two",
                updated="2026-06-19T09:13:50.166750+02:00",
            ),
        ),
        next="https://example.org/a/feed?p=2",
        prev_archive="https://example.org/2025/feed",
    )


def test_rss_dates_stay_as_written_and_a_guid_stands_in_for_a_link() -> None:
    feed = parse(RSS)
    assert (feed.kind, feed.title, feed.findings) == ("rss", "Paper", ())
    assert feed.next == "https://example.org/blog/feed?paged=2"
    assert feed.entries == (
        FeedEntry(
            url="https://example.org/one",
            title="A",
            updated="2026-06-20",
            published="Fri, 19 Jun 2026 10:00 IST",
        ),
        FeedEntry(url="https://example.org/two", title="B", updated="2026-06-19"),
        FeedEntry(url="https://example.org/four", title="D"),
    )


@pytest.mark.parametrize("version", ["0.91", "0.92", "2.0", "2.1"])
def test_every_rss_version_is_read(version: str) -> None:
    feed = parse(RSS.replace('"2.0"', f'"{version}"', 1))
    assert len(feed.entries) == 3


def test_rss_0_91_with_its_external_dtd_is_read_without_fetching_it() -> None:
    dtd = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:1/rss.dtd">'
    assert len(parse(dtd + RSS).entries) == 3


def test_rss_1_0_is_read() -> None:
    entry = FeedEntry(url="https://example.org/one", title="A", updated="2026-06-19T08:00Z")
    assert parse(RDF).entries == (entry,)


def test_json_feed_is_read() -> None:
    text = json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "Paper",
            "next_url": "?page=2",
            "items": [
                {"id": "1", "url": "/one", "title": " A  b ", "date_modified": "2026-06-19"},
                {"id": "https://example.org/two", "date_published": "2026-06-18", "title": 3},
                {"id": "3", "external_url": "https://example.net/x"},
                {"id": 4, "url": ["x"]},
                "not an item",
            ],
        }
    )
    assert parse(text, "application/feed+json; charset=utf-8") == Feed(
        kind="json",
        title="Paper",
        entries=(
            FeedEntry(url="https://example.org/one", title="A b", updated="2026-06-19"),
            FeedEntry(url="https://example.org/two", published="2026-06-18"),
        ),
        next="https://example.org/blog/feed?page=2",
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
def test_encodings_are_found(encoding: str) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?>{RSS}'.replace("Paper", "Caf\u00e9")
    for body in (text.encode(encoding), gzip.compress(text.encode(encoding))):
        feed = parse_feed(body, URL)
        assert (feed.title, len(feed.entries), feed.findings) == ("Caf\u00e9", 3, ())


def test_what_stands_before_the_document_is_skipped() -> None:
    assert len(parse(f"\n\n{RSS}").entries) == 3
    assert len(parse(f"<br />Notice: x in y.php\n<?xml version='1.0'?>{RSS}").entries) == 3


def test_a_broken_feed_keeps_its_entries_and_says_so() -> None:
    cut = parse(RSS[: RSS.index("<item><title>C")])
    assert [entry.title for entry in cut.entries] == ["A", "B"]
    assert cut.findings[0].kind == "feed-broken"
    bare = parse(RSS.replace("<title>A", "<title>A & O&nbsp;"))
    assert len(bare.entries) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<!DOCTYPE html><html><head><title>404</title></head><body>no</body></html>",
        "Not found",
        "<urlset><url><loc>https://example.org/a</loc></url></urlset>",
        "{",
        '{"version": "https://jsonfeed.org/version/1.1"}',
        '{"items": []}',
        "[]",
        "{" + '"a":{' * 100_000,
        "\x89PNG\r\n\x1a\n",
    ],
)
@pytest.mark.parametrize("media_type", ["", "application/feed+json"])
def test_what_is_no_feed_is_malformed(text: str, media_type: str) -> None:
    with pytest.raises(Malformed, match=r"it is no (RSS|JSON)"):
        parse(text, media_type)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_in_any_encoding(encoding: str) -> None:
    bomb = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    for subset in (f'<!ENTITY e0 "x">{bomb}', '<!ENTITY e11 SYSTEM "file:///etc/hostname">'):
        text = f"<!DOCTYPE rss [{subset}]>{RSS}".replace("Paper", "&e11;")
        with pytest.raises(Malformed, match="entities"):
            parse_feed(text.encode(encoding), URL)


def test_a_path_or_address_as_a_body_is_never_opened() -> None:
    for body in (b"/etc/hostname", b"http://127.0.0.1:1/feed", b"file:///etc/hostname"):
        with pytest.raises(Malformed):
            parse_feed(body, URL)


def test_deep_and_endless_markup_is_read_to_a_bound() -> None:
    head = RSS[: RSS.index("<item><title>C")]
    feed = parse(head + "<x>" * 10_000)
    assert [entry.title for entry in feed.entries] == ["A", "B"]
    items = "".join(f"<item><link>/{i}</link></item>" for i in range(10_000))
    long = parse(f"{head}{items}" + "&lt;" * 100 + "<" * MAX_TAGS)
    assert len(long.entries) == 10_002
    assert long.findings[0].kind == "feed-too-long"


PIECES = [
    *(
        "<rss>",
        "<channel>",
        "<item>",
        "</item>",
        "<link>",
        "</link>",
        "<title>",
        "<guid>",
        "<feed>",
    ),
    *(
        "<entry>",
        "<link ",
        'href="/a" ',
        'rel="next" ',
        'xml:base="http://[" ',
        "/>",
        ">",
        "&",
        ";",
    ),
    *("<updated>", "2026-06-19", "<![CDATA[", "]]>", "<!--", "&#x110000;", "<!DOCTYPE", "<?xml?>"),
    *("https://x.org/", "http://[", "<rdf:RDF>", '<content type="xhtml">', "\x00", " "),
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=30).map("".join)
    | st.binary(max_size=200),
    st.sampled_from(["", "application/json"]),
)
def test_any_bytes_give_a_feed_or_malformed(text: str | bytes, media_type: str) -> None:
    body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with contextlib.suppress(Malformed):
        feed = parse_feed(body, URL, media_type)
        assert all(entry.url.startswith("http") for entry in feed.entries)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dates().map(str) | st.datetimes().map(str), max_size=5))
def test_dates_come_back_as_they_were_written(dates: list[str]) -> None:
    items = "".join(
        f'<entry><link href="/{i}"/><updated>{date}</updated></entry>'
        for i, date in enumerate(dates)
    )
    feed = parse(f'<feed xmlns="http://www.w3.org/2005/Atom">{items}</feed>')
    assert [entry.updated for entry in feed.entries] == dates


def test_a_declaration_that_never_ends_takes_linear_time() -> None:
    hostile = b'<?xml version="." encoding=\'U encoding=' * 3_000
    with pytest.raises(Malformed):
        parse_feed(hostile, "https://news.example/feed")
