"""ResourceSync's documents, as a slugline writes them and as others do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crawler.article.slugs import clean_slug
from crawler.discovery.resourcesync import (
    MAX_DEPTH,
    MAX_ITEMS,
    Listing,
    articles,
    parse_resourcesync,
)
from crawler.facts import Malformed
from crawler.listed import Resource
from storage.web.resourcesync import Item, document, whose

BASE = "http://mirror.example"
URL = f"{BASE}/resourcesync/s/resources.xml"
HEAD = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:rs="http://www.openarchives.org/rs/terms/" xmlns:own="urn:slugline:terms">'
)
ABOUT = '<rs:md capability="resourcelist" at="2026-06-01T00:00:00Z"/>'
DIGEST = "0123456789abcdef" * 4


def parse(inner: str, about: str = ABOUT) -> Listing:
    return parse_resourcesync(f"{HEAD}{about}{inner}</urlset>".encode(), URL)


def one(inner: str, loc: str = f"{BASE}/a") -> Resource:
    (item,) = parse(f"<url><loc>{loc}</loc>{inner}</url>").items
    return item


def resource(name: str = "html", slug: str = "story", **said: str) -> Resource:
    return Resource(url=f"{BASE}/{slug}/{name}", slug=slug, format=name, **said)


def test_a_document_says_what_it_is_and_as_of_when() -> None:
    document = parse("", '<rs:md capability="changelist" from="2026-01-01T00:00:00Z"/>')
    assert (document.capability, document.since, document.at) == (
        "changelist", "2026-01-01T00:00:00Z", "",
    )  # fmt: skip


def test_a_resource_has_the_hash_type_and_source_that_the_list_gives() -> None:
    item = one(
        f'<rs:md hash="md5:aa sha-256:{DIGEST.upper()}" length="3" type="text/html"/>'
        '<rs:ln rel="via" href="https://news.example/a"/>'
        '<own:article slug="a%2Fb" updated_at="2026-06-19T09:13:50Z" format="html"/>'
    )
    assert item == Resource(
        url=f"{BASE}/a",
        digest=DIGEST,
        type="text/html",
        via="https://news.example/a",
        slug="a/b",
        updated_at="2026-06-19T09:13:50Z",
        format="html",
    )


def test_a_change_says_what_and_when() -> None:
    item = one('<rs:md change="updated" datetime="2026-06-19T09:13:50Z"/>')
    assert (item.change, item.at) == ("updated", "2026-06-19T09:13:50Z")


def test_addresses_are_resolved_against_the_documents_own() -> None:
    assert one("", "/b?c=1").url == f"{BASE}/b?c=1"


@pytest.mark.parametrize("loc", ["", "ftp://mirror.example/a", "http://", "too long"])
def test_what_has_no_address_is_left_out(loc: str) -> None:
    written = "http://h/" + "a" * 20_000 if loc == "too long" else loc
    assert parse(f"<url><loc>{written}</loc></url>").items == ()


@pytest.mark.parametrize(
    "said", ["sha-256:abc", f"sha-256:{DIGEST}0", f"md5:{DIGEST}", "sha-256:" + "g" * 64]
)
def test_what_is_no_sha_256_is_no_hash(said: str) -> None:
    assert one(f'<rs:md hash="{said}"/>').digest == ""


@pytest.mark.parametrize("name", ["", "../etc", "HTML", "a" * 33, "text plain"])
def test_what_is_no_name_of_a_format_is_none(name: str) -> None:
    assert one(f'<own:article slug="a" format="{name}"/>').format == ""


def test_the_words_of_another_namespace_are_not_ours() -> None:
    item = one('<x:md xmlns:x="urn:other" change="updated"/><x:article xmlns:x="urn:y" slug="a"/>')
    assert item == Resource(url=f"{BASE}/a")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html><body>not here</body></html>",
        "<urlset><url><loc>http://a.example/</loc></url></urlset>",
        f"{HEAD}</urlset>",
        f"{HEAD}{ABOUT}<url><loc>http://a.example/</loc></url>",
        f"{HEAD}{ABOUT}{'<url>' * (MAX_DEPTH + 1)}",
        f"{HEAD}{ABOUT}{'<url/>' * 3}&more;</urlset>",
        f'<!DOCTYPE u [<!ENTITY a "b">]>{HEAD}{ABOUT}</urlset>',
    ],
)
def test_what_is_not_whole_or_no_such_document_is_refused(body: str) -> None:
    with pytest.raises(Malformed):
        parse_resourcesync(body.encode(), URL)


def test_a_list_longer_than_the_protocol_allows_is_refused() -> None:
    with pytest.raises(Malformed, match="lists more than"):
        parse("<url><loc>http://a.example/</loc></url>" * (MAX_ITEMS + 1))


def test_what_stands_together_under_one_slug_is_one_article() -> None:
    html, text, other = resource(), resource("text"), resource(slug="other")
    first, second = articles([html, text, other])
    assert (first.slug, first.formats, first.url) == ("story", (html, text), html.url)
    assert second.formats == (other,)


def test_the_last_change_of_an_article_counts() -> None:
    early = resource(change="created", at="2026-06-01T00:00:00Z", digest=DIGEST)
    other = resource(slug="other", change="created", at="2026-06-02T00:00:00Z")
    late = resource("text", change="updated", at="2026-06-03T00:00:00Z")
    found = articles([early, other, late])
    assert [(each.slug, each.formats) for each in found] == [
        ("other", (other,)),
        ("story", (late,)),
    ]


def test_new_formats_and_changed_ones_of_one_snapshot_belong_together() -> None:
    html = resource(change="updated", at="2026-06-01T00:00:00Z")
    text = resource("text", change="created", at="2026-06-01T00:00:00Z")
    (found,) = articles([html, text])
    assert found.formats == (html, text)


def test_a_deleted_article_is_gone() -> None:
    (found,) = articles([resource(change="deleted", at="2026-06-01T00:00:00Z")])
    assert found.gone


def test_resources_that_are_nobodys_are_left_out() -> None:
    assert articles([Resource(url=f"{BASE}/a"), Resource(url=f"{BASE}/b", slug="b")]) == ()


@given(st.binary(max_size=300), st.text(max_size=200))
def test_whatever_comes_is_read_or_refused(junk: bytes, words: str) -> None:
    for body in (junk, f"{HEAD}{ABOUT}<url><loc>{words}</loc>{words}</url></urlset>".encode()):
        try:
            parse_resourcesync(body, URL)
        except Malformed:
            continue


@example(slug=".", name="html")
@example(slug="..", name="html")
@given(
    st.text(min_size=1, max_size=40).map(clean_slug),
    st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True),
)
def test_what_a_slugline_writes_comes_back(slug: str | None, name: str) -> None:
    if slug is None:
        return
    article = whose(slug, datetime(2026, 6, 19, 9, 13, 50, tzinfo=UTC), name)
    about = {"hash": f"sha-256:{DIGEST}", "type": "text/html"}
    item = Item(loc=f"{BASE}/a", about=about, article=article)
    body = document("urlset", {"capability": "resourcelist"}, (), [item])
    (found,) = articles(parse_resourcesync(body, URL).items)
    assert (found.slug, found.updated_at) == (slug, "2026-06-19T09:13:50Z")
    assert (found.formats[0].format, found.formats[0].digest) == (name, DIGEST)
