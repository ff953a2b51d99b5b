"""Sitemaps: what the protocol allows, what real sites serve instead, and what attackers send."""

from __future__ import annotations

import contextlib
import gzip
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.discovery.sitemap import (
    MAX_BYTES,
    MAX_PACKED,
    MAX_URLS,
    Sitemap,
    SitemapEntry,
    parse_sitemap,
)
from crawler.facts import Malformed

URL = "https://example.org/sitemap.xml"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
ONE = f"<urlset {NS}><url><loc>https://example.org/a</loc></url></urlset>"


def parse(text: str | bytes) -> Sitemap:
    return parse_sitemap(text if isinstance(text, bytes) else text.encode(), URL)


def urls(text: str | bytes) -> list[str]:
    return [entry.url for entry in parse(text).entries]


def kinds(sitemap: Sitemap) -> list[str]:
    return [finding.kind for finding in sitemap.findings]


def test_a_urlset_gives_urls_and_lastmod_as_written() -> None:
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
    <urlset {NS}>
      <url><loc>https://example.org/a</loc><lastmod> 2026-06-19T09:13:50.166750+00:00
      </lastmod><changefreq>daily</changefreq><priority>0.8</priority></url>
      <url><lastmod>2026-06</lastmod><loc>https://EXAMPLE.org:443/b?x=1&amp;y=2</loc></url>
    </urlset>"""
    assert parse(text) == Sitemap(
        entries=(
            SitemapEntry(url="https://example.org/a", lastmod="2026-06-19T09:13:50.166750+00:00"),
            SitemapEntry(url="https://example.org/b?x=1&y=2", lastmod="2026-06"),
        )
    )


def test_an_index_gives_sitemaps() -> None:
    text = f"""<sitemapindex {NS}><sitemap><loc>https://example.org/s1.xml.gz</loc>
    <lastmod>2026-06-19</lastmod></sitemap></sitemapindex>"""
    entry = SitemapEntry(url="https://example.org/s1.xml.gz", lastmod="2026-06-19")
    assert parse(text) == Sitemap(sitemaps=(entry,))


def test_extensions_give_hints_and_no_urls() -> None:
    text = f"""<urlset {NS} xmlns:image="i" xmlns:news="n" xmlns:video="v" xmlns:xhtml="x"><url>
      <image:image><image:loc>https://example.org/a.jpg</image:loc><image:title>No</image:title>
      </image:image>
      <video:video><video:title>No</video:title>
      <video:publication_date>1999</video:publication_date></video:video>
      <xhtml:link rel="alternate" hreflang="fr" href="https://example.org/fr/a"/>
      <loc>https://example.org/a</loc>
      <news:news><news:publication><news:name>Paper</news:name><news:language>en</news:language>
      </news:publication><news:publication_date>2026-06-19</news:publication_date>
      <news:title>A &amp; B
        C</news:title></news:news></url></urlset>"""
    entry = SitemapEntry(url="https://example.org/a", title="A & B C", published="2026-06-19")
    assert parse(text).entries == (entry,)


@pytest.mark.parametrize(
    "text",
    [
        ONE,
        f"\n  \t{ONE}",
        f'\n<?xml version="1.0"?>{ONE}',
        f'Warning: mysqli() in /x.php<br />\n<?xml version="1.0"?>{ONE}',
        ONE.replace(NS, ""),
        ONE.replace(NS, 'xmlns="http://www.google.com/schemas/sitemap/0.84"'),
        ONE.replace("<urlset", "<s:urlset").replace("</urlset", "</s:urlset"),
        ONE.replace("<loc>", "<loc><![CDATA[").replace("</loc>", "]]></loc>"),
        ONE.replace("https://example.org/a", "/a"),
        ONE.replace("https://example.org/a", "\n  a#part "),
        ONE.replace("<loc>", "<LOC>").replace("</loc>", "</LOC>"),
        ONE.replace("<url>", "<url><image:image><image:loc>/i.png</image:loc></image:image>"),
        ONE.replace("<urlset", "<!-- a comment --><urlset"),
        f"<?xml-stylesheet type='text/xsl' href='/s.xsl'?>{ONE}",
        f'<?xml version="1.0" encoding="no-such-code"?>{ONE}',
        f'<?xml version="1.0" encoding="utf-16"?>{ONE}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_real_world_mess_is_read(text: str, encoding: str) -> None:
    assert urls(text.encode(encoding)) == ["https://example.org/a"]


def test_encodings_without_a_mark_are_found() -> None:
    text = f'<?xml version="1.0" encoding="{{}}"?>{ONE}'.replace("/a<", "/caf\u00e9<")
    for name in ("utf-16-le", "utf-16-be", "windows-1252", "iso-8859-1", "utf-8", "gb18030"):
        assert urls(text.format(name).encode(name)) == ["https://example.org/caf%C3%A9"]


def test_a_gzip_document_is_opened_and_a_bad_one_named() -> None:
    assert urls(gzip.compress(ONE.encode())) == ["https://example.org/a"]
    with pytest.raises(Malformed, match="gzip"):
        parse(gzip.compress(ONE.encode())[:-12])
    with pytest.raises(Malformed, match="limit"):
        parse(gzip.compress(b"\n" * (MAX_BYTES + 1), 1))


def test_a_text_sitemap_is_a_url_a_line() -> None:
    text = "\ufeffhttps://example.org/a\r\n\r\n HTTP://example.org/b \nhttps://example.org/a\n"
    assert urls(text) == ["https://example.org/a", "http://example.org/b"]
    mixed = parse(text + "# a comment\n")
    assert len(mixed.entries) == 2
    assert "1 lines hold no URL" in mixed.findings[0].detail


def test_a_feed_served_as_a_sitemap_is_read_as_one() -> None:
    text = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><entry>
    <title>A</title><link href="/a"/><updated>2026-06-19T08:00:00Z</updated></entry></feed>"""
    entry = SitemapEntry(url="https://example.org/a", lastmod="2026-06-19T08:00:00Z", title="A")
    assert parse(text).entries == (entry,)


@pytest.mark.parametrize("text", [f"<urlset {NS}/>", "<sitemapindex></sitemapindex>"])
def test_an_empty_sitemap_is_one(text: str) -> None:
    assert parse(text) == Sitemap()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<!DOCTYPE html><html><head><meta charset=utf-8><title>404</title>", "HTML page"),
        ("\n<html><body><p>x</body></html>", "HTML page"),
        ("<sitemaps><page>https://example.org/a</page></sitemaps>", "<sitemaps>"),
        ("", "empty"),
        ("Not found", "no URL"),
        ('{"urls": []}', "no URL"),
        ("\x89PNG\r\n\x1a\n", "no URL"),
        ("<urlset><url><loc>https://exa", "breaks"),
        ("<", "breaks"),
    ],
)
def test_what_is_no_sitemap_is_said_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(Malformed, match=why):
        parse(text)


def test_bare_ampersands_entities_and_control_characters_are_mended() -> None:
    text = ONE.replace("/a<", "/a?b=1&c=2&nbsp=3&amp;d=4\x00\x0b<")
    assert urls(text) == ["https://example.org/a?b=1&c=2&nbsp=3&d=4"]
    assert kinds(parse(text)) == ["sitemap-broken"]


def test_what_came_before_a_break_is_kept_and_the_break_told() -> None:
    text = ONE.replace("</urlset>", "<url><loc>https://example.org/b</loc></urlset>")
    sitemap = parse(text)
    assert [entry.url for entry in sitemap.entries] == ["https://example.org/a"]
    assert kinds(sitemap) == ["sitemap-broken"]
    after = parse(f"{ONE}<script>alert()</script>")
    assert len(after.entries) == 1
    assert "junk after document element" in after.findings[0].detail


def test_entries_without_an_http_url_are_counted() -> None:
    text = ONE.replace("</urlset>", "<url><loc>ftp://x/y</loc></url><url><loc/></url></urlset>")
    sitemap = parse(text)
    assert len(sitemap.entries) == 1
    assert "1 entries" in sitemap.findings[0].detail


def test_a_url_past_the_bound_is_dropped_whole() -> None:
    text = ONE.replace("/a<", "/" + "a" * 10_000 + "<")
    assert parse(text).entries == ()


def test_entities_are_neither_expanded_nor_fetched() -> None:
    bomb = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 12))
    for subset in (f'<!ENTITY e0 "x">{bomb}', '<!ENTITY e11 SYSTEM "file:///etc/hostname">'):
        text = f"<?xml version='1.0'?><!DOCTYPE urlset [{subset}]>{ONE}".replace("/a<", "/&e11;<")
        with pytest.raises(Malformed, match="entities"):
            parse(text)


def test_an_external_dtd_is_not_fetched_and_does_not_matter() -> None:
    text = f'<!DOCTYPE urlset SYSTEM "https://127.0.0.1:1/s.dtd">{ONE}'
    assert urls(text) == ["https://example.org/a"]


def test_deep_nesting_ends_the_reading_with_what_came_before() -> None:
    deep = "<x>" * 10_000 + "</x>" * 10_000
    sitemap = parse(ONE.replace("</urlset>", f"{deep}</urlset>"))
    assert len(sitemap.entries) == 1
    assert "deep" in sitemap.findings[0].detail
    with pytest.raises(Malformed, match="deep"):
        parse(f"<urlset>{deep}</urlset>")


def test_the_first_50_000_urls_are_kept() -> None:
    many = "".join(f"<url><loc>/{i}</loc></url>" for i in range(MAX_URLS + 1))
    sitemap = parse(f"<urlset>{many}</urlset>")
    assert len(sitemap.entries) == MAX_URLS
    assert kinds(sitemap) == ["sitemap-too-long"]
    lines = parse("\n".join(f"https://example.org/{i}" for i in range(MAX_URLS + 1)))
    assert (len(lines.entries), kinds(lines)) == (MAX_URLS, ["sitemap-too-long"])


def test_one_line_of_100_mb_is_read_to_the_bound() -> None:
    line = b"x" * 100_000_000
    head = ONE.removesuffix("</urlset>").encode()
    sitemap = parse(head + b"<url><loc>https://example.org/" + line)
    assert len(sitemap.entries) == 1
    assert kinds(sitemap) == ["sitemap-too-long", "sitemap-broken"]
    with pytest.raises(Malformed):
        parse(line)


PIECES = [
    *("<url>", "</url>", "<loc>", "</loc>", "<urlset>", "</urlset>", "<sitemap>", "<![CDATA["),
    *("]]>", "<!DOCTYPE", "<?xml?>", "&", ";", "/a", "https://x.org/", "<!--", "<rss>", "<item>"),
    *("<link>", "\x00", "\n"),
]
PIECE = st.sampled_from(PIECES)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECE | st.text(max_size=4), max_size=30).map("".join) | st.binary(max_size=200))
def test_any_bytes_give_a_sitemap_or_malformed(text: str | bytes) -> None:
    body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    with contextlib.suppress(Malformed):
        assert all(entry.url.startswith("http") for entry in parse_sitemap(body, URL).entries)


PATH = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)


@settings(max_examples=100)
@given(st.lists(st.tuples(PATH, st.dates().map(str)), max_size=10))
def test_what_is_written_comes_back(pages: list[tuple[str, str]]) -> None:
    items = "".join(
        f"<url><loc>https://example.org/p{i}?{escape(path)}</loc><lastmod>{day}</lastmod></url>"
        for i, (path, day) in enumerate(pages)
    )
    found = parse(f"<urlset {NS}>{items}</urlset>").entries
    assert [entry.lastmod for entry in found] == [day for _, day in pages]


@pytest.mark.parametrize("doctype", ["<!DOCTYPE html>", "<!doctype html>", "\n <!Doctype HTML x>"])
def test_a_page_in_the_place_of_a_sitemap_is_called_one(doctype: str) -> None:
    with pytest.raises(Malformed, match="HTML page in its place"):
        parse_sitemap(f"{doctype}<html><p>not found</p>".encode(), URL)


def test_an_entry_whose_url_is_too_long_is_counted() -> None:
    body = f"<urlset><url><loc>{URL}</loc></url><url><loc>{URL}{'a' * 5000}</loc></url></urlset>"
    sitemap = parse_sitemap(body.encode(), URL)
    assert len(sitemap.entries) == 1
    assert [finding.kind for finding in sitemap.findings] == ["sitemap-bad-url"]


def test_a_compressed_sitemap_beyond_reason_is_not_unpacked() -> None:
    with pytest.raises(Malformed, match="compressed"):
        parse_sitemap(b"\x1f\x8b" + bytes(MAX_PACKED), URL)
