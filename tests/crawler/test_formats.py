"""The door to all formats: what came, whether it is what it claims, and its facts."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Malformed
from crawler.formats import check_claim, parse, sniff
from crawler.formats.table import FORMATS
from tests.fuzz.seeds import every_format

HTML = b"<!DOCTYPE html><html><body><p>x</p></body></html>"


def test_the_formats_that_articles_are_published_in_have_parsers() -> None:
    assert FORMATS.keys() >= {"html", "markdown", "text", "jsonld", "json"}


@pytest.mark.parametrize("name", FORMATS)
def test_parsers_name_their_source(name: str) -> None:
    for body in every_format():
        with contextlib.suppress(Malformed):
            assert parse(name, body, "https://example.org/a", "").source in {name, "record"}


def test_a_format_without_a_parser_has_no_words() -> None:
    facts = parse("epub", b"PK", "https://example.org/a.epub", "application/epub+zip")
    assert (facts.source, facts.body) == ("other", None)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (HTML, "html"),
        (b"\xef\xbb\xbf\n<!-- c --><html lang=en>", "html"),
        (b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "x">', "html"),
        (b'<?xml version="1.0"?><rss>', "xml"),
        (b'{"a": 1}', "json"),
        (b'{"@context": "https://schema.org"}', "jsonld"),
        (b"---\ntitle: x\n---\n", "markdown"),
        (b"# Title\n", "markdown"),
        (b"%PDF-1.7", "pdf"),
        (b"Words", None),
        (b"<p>part", None),
    ],
)
def test_looks(body: bytes, name: str | None) -> None:
    assert sniff(body) == name


@pytest.mark.parametrize(
    ("name", "content_type", "body"),
    [
        ("html", "text/html", b"<p>fragment"),
        ("markdown", "text/html", b"# A\n\n<b>x</b>"),
        ("markdown", "", b"---\ntitle: x\n---\nx"),
        ("markdown", "text/markdown", b'[{"a": "link list"}]'),
        ("text", "", "Ж".encode("utf-16")),
        ("jsonld", "application/octet-stream", b'{"@type": "Article"}'),
        ("json", "", b"[]"),
        ("pdf", "application/pdf", b"%PDF-\x00"),
    ],
)
def test_honest_replies(name: str, content_type: str, body: bytes) -> None:
    assert check_claim(name, content_type, body) is None


@pytest.mark.parametrize(
    ("name", "content_type", "body", "why"),
    [
        ("markdown", "text/markdown", HTML, "it is HTML under the address of markdown"),
        ("text", "text/plain", HTML, "it is HTML under the address of text"),
        ("jsonld", "application/ld+json", HTML, "it is HTML under the address of jsonld"),
        ("pdf", "application/pdf", HTML, "it is HTML under the address of pdf"),
        ("html", "text/html", b" \n", "the body is empty"),
        ("html", "text/html", b'{"error": 1}', "it is json and not HTML"),
        ("html", "text/html", b"Not here", "it is text without any markup"),
        ("html", "text/html", b"%PDF-1.7", "it is pdf and not HTML"),
        ("markdown", "application/json", b'{"e": 1}', "it is JSON under the address of markdown"),
        ("text", "text/plain", b"a\x00b", "it is binary and not text"),
        ("text", "text/plain", b"\x89PNG", "it is png and not text"),
    ],
)
def test_false_claims(name: str, content_type: str, body: bytes, why: str) -> None:
    assert check_claim(name, content_type, body) == why


@pytest.mark.parametrize("name", ["json", "jsonld"])
def test_json_that_is_cut_short_is_no_json(name: str) -> None:
    with pytest.raises(Malformed, match="no JSON"):
        parse(name, b'{"a": ', "https://example.org/a")


@pytest.mark.parametrize("charset", ["utf-16", "shift_jis"])
def test_a_strange_charset_fails_no_json(charset: str) -> None:
    body = '{"@type": "Article", "headline": "表"}'.encode(charset)
    content_type = f"application/ld+json; charset={charset}"
    assert check_claim("jsonld", content_type, body) is None
    assert parse("jsonld", body, "https://example.org/a", content_type).title == "表"


def test_endless_comments_are_sniffed_in_linear_time() -> None:
    for piece in (b"<!--", b"<!---", b" <?xml>", b"<!-- -->"):
        sniff(piece * 100_000)


@settings(max_examples=150)
@given(st.sampled_from([*FORMATS, "epub"]), st.binary(max_size=80), st.text(max_size=20))
def test_any_bytes_give_facts_or_a_sentence(name: str, body: bytes, content_type: str) -> None:
    assert check_claim(name, content_type, body) != ""
    with contextlib.suppress(Malformed):
        assert parse(name, body, "https://example.org/a", content_type).extractor
