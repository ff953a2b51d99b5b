"""What a format is called, by media type, suffix and declaring link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.facts import Link
from crawler.formats.naming import format_of, format_of_media
from crawler.formats.table import FORMATS
from crawler.links import media_type


def alternate(url: str = "https://example.org/x", **fields: str) -> Link:
    return Link(rel=fields.pop("rel", "alternate"), url=url, declared_by="html", **fields)


def test_a_format_with_a_parser_is_told_by_what_its_spec_says() -> None:
    for name, spec in FORMATS.items():
        assert {format_of_media(kind) for kind in spec.media_types} == {name}
        untyped = [alternate(f"https://example.org/a{suffix}") for suffix in spec.suffixes]
        assert {format_of(each) for each in untyped} <= {name}


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("text/html", "html"),
        ("application/xhtml+xml", "html"),
        ("text/markdown; charset=utf-8", "markdown"),
        ("Text/X-Markdown", "markdown"),
        ("text/plain", "text"),
        ("application/ld+json", "jsonld"),
        ("application/json", "json"),
        ("application/pdf", "pdf"),
        ("application/epub+zip", "epub"),
        ("text/x-org", "org"),
        ("image/text", "image-text"),
        ("application/rss+xml", None),
        ("application/atom+xml", None),
        ("application/feed+json", None),
        ("application/json+oembed", None),
        ("text/xml+oembed", None),
        ("application/rsd+xml", None),
        ("application/wlwmanifest+xml", None),
        ("application/opensearchdescription+xml", None),
        ("text/css", None),
        ("no media type", None),
    ],
)
def test_formats_by_declared_type(kind: str, name: str | None) -> None:
    assert format_of(alternate(type=kind)) == name


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("font/woff2", None),
        ("application/vnd.acme", "acme"),
        ("application/x-acme", "acme"),
        ("application/acme.report+zip", "acme-report-zip"),
        ("application/_acme_", "acme"),
        ("a.b/text", "a-b-text"),
        ("a/-", "a"),
        (f"application/{'x' * 40}", "x" * 32),
    ],
)
def test_a_format_without_a_parser_is_named_by_its_type(kind: str, name: str | None) -> None:
    assert format_of_media(kind) == name


def test_a_stated_type_that_is_none_is_not_helped_by_the_suffix() -> None:
    assert format_of(alternate("https://example.org/a.md", type="markdown")) is None


def test_xml_is_a_format_where_it_is_no_feed() -> None:
    assert format_of(alternate("https://example.org/data.xml", type="text/xml")) == "xml"
    assert format_of(alternate("https://example.org/feed/", type="text/xml")) is None
    assert format_of(alternate("https://example.org/feed/", type="text/markdown")) == "markdown"


def test_a_name_that_is_all_suffix_has_none() -> None:
    assert format_of(alternate("https://example.org/news/.md")) is None
    assert format_of(alternate("https://example.org/v1.2.md")) == "markdown"
    assert format_of(alternate("https://example.org/a.md/b")) is None


def test_untyped_alternates_go_by_their_suffix() -> None:
    assert format_of(alternate("https://example.org/a.MD?x=1")) == "markdown"
    assert format_of(alternate("https://example.org/a.jsonld")) == "jsonld"
    assert format_of(alternate("https://example.org/a")) is None
    assert format_of(alternate("https://example.md/")) is None


def test_other_relations_and_variants_are_no_formats() -> None:
    assert format_of(alternate(rel="amphtml", type="text/html")) is None
    assert format_of(alternate(rel="stylesheet", type="text/css")) is None
    assert format_of(alternate(type="text/html", media="print")) is None
    assert format_of(alternate(type="text/markdown", media="all")) == "markdown"


def test_alternates_in_another_language_are_other_articles() -> None:
    german = alternate(type="text/markdown", hreflang="de-AT")
    assert format_of(german, "en") is None
    assert format_of(german) is None
    assert format_of(german, "de") == "markdown"
    assert format_of(alternate(hreflang="en"), "en") is None
    page = alternate("https://example.org/a.md", type="text/html", hreflang="en")
    assert format_of(page, "en") is None
    assert format_of(alternate(type="application/pdf", hreflang="en"), "en-GB") == "pdf"
    assert format_of(alternate(type="application/pdf", hreflang="eng"), "en") is None


@given(st.text(max_size=60))
def test_format_names_are_one_plain_word(text: str) -> None:
    name = format_of_media(media_type(text))
    assert name is None or name.replace("-", "").isalnum()
