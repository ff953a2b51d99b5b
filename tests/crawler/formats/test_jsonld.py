"""schema.org articles in the shapes that publishers and their plug-ins write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.facts import Facts, Malformed
from crawler.formats.jsonld import alternate_links, embedded_facts, parse_jsonld

URL = "https://example.org/news/a.jsonld"
PAGE = "https://example.org/news/a"

ARTICLE: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "@id": PAGE,
    "headline": "Rates &amp; prices",
    "description": "What moved.",
    "articleBody": "First.\n\nSecond.",
    "author": {"@type": "Person", "name": "Ann Lee"},
    "datePublished": "2024-01-01T08:32:00Z",
    "dateModified": "2024-01-01T12:11:00+01:00",
    "inLanguage": "en",
    "mainEntityOfPage": PAGE,
    "keywords": "money, banks",
    "mentions": [{"@type": "Thing", "name": "ECB"}, {"name": "Lagarde, Christine"}],
    "isBasedOn": "https://other.example/story",
}


def read(document: Any, url: str = URL) -> Facts:
    return parse_jsonld(json.dumps(document).encode(), url, "application/ld+json")


def test_reads_every_field_of_an_article() -> None:
    facts = read(ARTICLE)
    assert facts.source == "jsonld"
    assert facts.title == "Rates & prices"
    assert facts.summary == "What moved."
    assert facts.body == "First.\n\nSecond."
    assert facts.authors == ("Ann Lee",)
    assert facts.lang == "en"
    assert facts.topics == ("money", "banks")
    assert facts.entities == ("ECB", "Lagarde, Christine")
    assert facts.canonical == PAGE
    assert facts.canonical_source == "https://other.example/story"
    assert facts.updated_at is not None
    assert (facts.updated_at.at.hour, facts.updated_at.offset) == (11, 60)
    assert facts.published_at is not None
    assert facts.evidence.type == "newsarticle"


@pytest.mark.parametrize(
    "document",
    [
        [ARTICLE],
        [{"@type": "Organization", "name": "Paper"}, ARTICLE],
        {"@graph": [{"@type": "WebSite", "name": "Paper"}, ARTICLE]},
        {"@type": "WebPage", "mainEntity": ARTICLE},
        {**ARTICLE, "@type": ["Thing", "https://schema.org/BlogPosting"]},
        {
            "@type": "http://schema.org/Article",
            **{f"schema:{k}": v for k, v in ARTICLE.items() if k[0] != "@"},
        },
    ],
)
def test_finds_the_article_wherever_it_stands(document: Any) -> None:
    facts = read(document)
    assert facts.title == "Rates & prices"
    assert facts.updated_at is not None


def test_expanded_values_are_read() -> None:
    expanded = {
        "@type": ["http://schema.org/Article"],
        "http://schema.org/headline": [{"@value": "T", "@language": "en"}],
        "http://schema.org/dateModified": [{"@value": "2024-01-01T12:00:00Z"}],
    }
    facts = read(expanded)
    assert facts.title == "T"
    assert facts.updated_at is not None


def test_a_graph_of_an_seo_plugin_is_put_together() -> None:
    graph = {
        "@graph": [
            {
                "@type": "Article",
                "@id": "https://example.org/a/#article",
                "isPartOf": {"@id": "https://example.org/a/"},
                "headline": "A",
                "author": {"@id": "#/person/1"},
                "dateModified": "2024-02-01T00:00:00+00:00",
                "mainEntityOfPage": {"@id": "https://example.org/a/"},
            },
            {
                "@type": "WebPage",
                "@id": "https://example.org/a/",
                "url": "https://example.org/a/",
                "description": "About A.",
                "inLanguage": "de-DE",
            },
            {"@type": "Person", "@id": "#/person/1", "name": "Ann"},
        ]
    }
    facts = embedded_facts([json.dumps(graph)], "https://example.org/a/")
    assert (facts.summary, facts.lang, facts.authors) == ("About A.", "de-DE", ("Ann",))
    assert facts.canonical == "https://example.org/a/"


def test_of_several_articles_the_pages_own_is_read() -> None:
    other = {"@type": "Article", "headline": "Other", "url": "https://example.org/other"}
    assert embedded_facts([json.dumps([other, ARTICLE])], PAGE).title == "Rates & prices"
    listing = embedded_facts([json.dumps([other, ARTICLE])], "https://example.org/news/")
    assert (listing.title, listing.evidence.type) == (None, "itemlist")
    assert listing.evidence.article_elements == 2


def test_items_of_a_list_are_not_the_page() -> None:
    page = {
        "@type": "CollectionPage",
        "mainEntity": {
            "@type": "ItemList",
            "itemListElement": [{"@type": "ListItem", "item": ARTICLE}],
        },
    }
    facts = embedded_facts([json.dumps(page)], "https://example.org/news/")
    assert facts.title is None
    assert facts.evidence.type == "collectionpage"


def test_the_main_entity_id_of_a_listing_is_no_article() -> None:
    facts = embedded_facts(['{"@type": "WebPage", "name": "About"}'], PAGE)
    assert (facts.title, facts.evidence.type) == (None, "")


def test_own_keys_are_taken_as_they_are() -> None:
    own = {
        **ARTICLE,
        "slug": "a-b",
        "topics": ["x"],
        "entities": ["y"],
        "canonical_source": "https://source.example/",
        "body_md": "# M",
        "alternates": {"markdown": "/news/a.md"},
    }
    facts = read(own)
    assert (facts.slug, facts.topics, facts.entities) == ("a-b", ("x",), ("y",))
    assert facts.body == "# M"
    assert facts.canonical_source == "https://source.example/"
    assert [(link.url, link.type) for link in facts.links] == [
        ("https://example.org/news/a.md", "text/markdown")
    ]


def test_encodings_are_alternates_but_pictures_are_not() -> None:
    media = [
        {"@type": "MediaObject", "encodingFormat": "text/markdown", "contentUrl": "a.md"},
        {"@type": "ImageObject", "encodingFormat": "image/png", "contentUrl": "a.png"},
        {"@type": "MediaObject", "encodingFormat": "PDF", "contentUrl": "a.pdf"},
    ]
    links = read({**ARTICLE, "encoding": media}).links
    assert [(link.rel, link.url, link.declared_by) for link in links] == [
        ("alternate", "https://example.org/news/a.md", "jsonld")
    ]


def test_identifiers_are_no_slugs_and_about_fills_in_for_mentions() -> None:
    facts = read(
        {"@type": "Article", "headline": "x", "identifier": "42", "about": [{"name": "Y"}]}
    )
    assert (facts.slug, facts.entities) == (None, ("Y",))


def test_a_file_with_one_headed_node_is_its_article_whatever_the_type() -> None:
    assert read({"@type": "Event", "name": "Fair"}).title == "Fair"


@pytest.mark.parametrize("body", [b"", b"[]", b'"x"', b"{", b"<html>"])
def test_what_holds_no_object_is_malformed(body: bytes) -> None:
    with pytest.raises(Malformed):
        parse_jsonld(body, URL)


def test_broken_blocks_inside_a_page_are_left_out() -> None:
    assert embedded_facts(["{", json.dumps(ARTICLE), "]"], PAGE).title == "Rates & prices"


def test_alternates_that_are_no_urls_are_left_out() -> None:
    given_links = alternate_links({"text": "a.txt", "pdf": 4, "x": "mailto:a@b"}, PAGE, "json")
    assert [link.url for link in given_links] == ["https://example.org/news/a.txt"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*ARTICLE, "@graph", "url", "encoding", "name"]), inner, max_size=5
        )
    ),
    max_leaves=15,
)


@settings(max_examples=150)
@given(_JSON, st.sampled_from(["Article", ["WebPage"], 3, None]))
def test_any_shape_gives_facts_or_malformed(document: Any, kind: Any) -> None:
    if isinstance(document, dict):
        document["@type"] = kind
    try:
        assert read(document).source == "jsonld"
    except Malformed:
        return


@pytest.mark.parametrize(
    "language",
    ["de", {"@type": "Language", "name": "German", "alternateName": "de"},
     {"@type": "Language", "name": "de"}],
)  # fmt: skip
def test_a_language_may_be_a_thing_of_its_own(language: object) -> None:
    facts = parse_jsonld(json.dumps(ARTICLE | {"inLanguage": language}).encode(), URL)
    assert facts.lang == "de"
