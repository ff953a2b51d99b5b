"""JSON alternates: the record's own shape, WordPress's post, and the names others use."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Facts, Malformed
from crawler.formats.json_record import parse_json

URL = "https://example.org/api/a.json"

RECORD: dict[str, Any] = {
    "slug": "a-b",
    "title": "AT&amp;T <b>",
    "summary": "S",
    "body_md": "#### TL;DR\n\nWords",
    "url": "https://example.org/news/a-b",
    "canonical_source": "https://other.example/x",
    "published_at": "2026-06-19 08:09:44+00:00",
    "updated_at": "2026-06-19 09:13:50.166750+00:00",
    "lang": "en",
    "topics": ["t-1", "t-2"],
    "entities": ["Alibaba Cloud", "Li, Feifei"],
    "alternates": {"markdown": "https://example.org/news/a-b.md"},
}
POST: dict[str, Any] = {
    "id": 1,
    "date": "2024-01-01T13:00:00",
    "date_gmt": "2024-01-01T12:00:00",
    "guid": {"rendered": "https://example.org/?p=1"},
    "modified": "2024-01-02T13:00:01",
    "modified_gmt": "2024-01-02T12:00:01",
    "slug": "hello-world",
    "status": "publish",
    "type": "post",
    "link": "https://example.org/2024/hello-world/",
    "title": {"rendered": "Hello &#8220;<em>world</em>&#8221;"},
    "content": {
        "rendered": '<p>One <a href="/b?utm_source=x">two</a>.</p>\n<p>Three</p>',
        "protected": False,
    },
    "excerpt": {"rendered": "<p>One two&hellip;</p>\n", "protected": False},
    "author": 1,
    "categories": [3],
    "tags": [7, 9],
}


def read(document: Any) -> Facts:
    return parse_json(json.dumps(document).encode(), URL, "application/json")


def test_the_records_own_shape_word_for_word() -> None:
    facts = read(RECORD)
    assert facts.source == "record"
    assert (facts.slug, facts.title, facts.summary) == ("a-b", "AT&amp;T <b>", "S")
    assert facts.body == RECORD["body_md"]
    assert facts.canonical == RECORD["url"]
    assert facts.canonical_source == RECORD["canonical_source"]
    assert facts.updated_at is not None
    assert facts.updated_at.at.microsecond == 166_750
    assert (facts.topics, facts.entities) == (("t-1", "t-2"), ("Alibaba Cloud", "Li, Feifei"))
    assert [link.type for link in facts.links] == ["text/markdown"]


def test_a_wordpress_post() -> None:
    facts = read(POST)
    assert facts.source == "json"
    assert facts.title == "Hello “world”"
    assert facts.summary == "One two…"
    assert (facts.slug, facts.canonical) == ("hello-world", POST["link"])
    assert facts.body == "One two.\n\nThree"
    assert facts.words is not None
    assert "(https://example.org/b?utm_source=x)" in facts.words
    assert facts.topics == ()
    assert facts.evidence.type == "post"


def test_gmt_in_a_name_is_a_zone_and_its_absence_none() -> None:
    facts = read(POST)
    assert facts.updated_at is not None
    assert (facts.updated_at.at.hour, facts.updated_at.offset) == (12, 0)
    assert facts.published_at is not None
    assert facts.published_at.offset == 0
    local = {key: value for key, value in POST.items() if not key.endswith("_gmt")}
    facts = read(local)
    assert facts.updated_at is not None
    assert (facts.updated_at.at.hour, facts.updated_at.offset) == (13, None)


@pytest.mark.parametrize(
    ("given", "slug"), [("%e6%b0%b7", "\u6c37"), ("a%e6", "a%e6"), ("100", "100"), ("", None)]
)
def test_a_posts_slug_is_read_as_its_url_is(given: str, slug: str | None) -> None:
    assert read({**POST, "slug": given}).slug == slug


def test_embedded_terms_and_authors_of_a_post() -> None:
    embedded = {"author": [{"name": "Ann"}], "wp:term": [[{"name": "News"}], [{"name": "EU"}]]}
    facts = read({**POST, "_embedded": embedded})
    assert (facts.authors, facts.topics) == (("Ann",), ("News", "EU"))


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        ({"id": 3, "count": 2, "name": "N", "slug": "n", "taxonomy": "category"}, "category"),
        ({"id": 3, "count": 2, "name": "N", "slug": "n", "taxonomy": "cuisine"}, "term"),
        ({"id": 1, "name": "Ann", "slug": "ann", "avatar_urls": {}}, "user"),
        ({"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": []}, "feed"),
        ({"title": "All", "articles": [RECORD]}, "list"),
        ([POST, POST], "list"),
        ([], "list"),
    ],
)
def test_what_is_no_article_says_so(document: Any, kind: str) -> None:
    facts = read(document)
    assert (facts.evidence.type, facts.slug, facts.title) == (kind, None, None)


@pytest.mark.parametrize("wrapped", [[POST], {"data": POST}, {"article": POST, "meta": 1}])
def test_one_article_in_a_wrapping_is_found(wrapped: Any) -> None:
    assert read(wrapped).slug == "hello-world"


def test_plain_names_of_others() -> None:
    facts = read(
        {
            "headline": "H",
            "content_html": "<p>A <a href='/x'>b</a></p>",
            "date_published": "2024-01-01T00:00:00Z",
            "date_modified": 1_718_784_584,
            "external_url": "https://other.example/",
            "tags": ["a"],
            "authors": [{"name": "Ann"}],
            "language": "de",
        }
    )
    assert (facts.source, facts.title, facts.body) == ("json", "H", "A b")
    assert facts.words == "A [b](https://example.org/x)"
    assert facts.updated_at is not None
    assert facts.canonical_source == "https://other.example/"
    assert (facts.topics, facts.authors, facts.lang) == (("a",), ("Ann",), "de")


def test_json_ld_under_a_json_type_is_read_as_such() -> None:
    facts = read({"@context": "https://schema.org", "@type": "Article", "headline": "H"})
    assert (facts.source, facts.title) == ("json", "H")


@pytest.mark.parametrize("body", [b"", b"3", b'["x"]', b"<html>", b"[" * 100_000])
def test_what_is_no_record_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_json(body, URL)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*RECORD, *POST, "rendered", "name"]), inner, max_size=6)
    ),
    max_leaves=15,
)


@settings(max_examples=150)
@given(_JSON)
def test_any_shape_gives_facts_or_malformed(document: Any) -> None:
    try:
        assert read(document).source in ("json", "record")
    except Malformed:
        return
