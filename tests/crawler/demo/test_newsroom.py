"""The newsroom: every field comes back from its formats, and edits do what they say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from crawler.demo import prose
from crawler.demo.newsroom import Newsroom
from crawler.demo.rendering import html, markdown
from storage.model import Record

BASE = "http://127.0.0.1:8080"


@pytest.fixture(scope="module")
def newsroom() -> Newsroom:
    return Newsroom.create(BASE, 24, sources="https://wire.example")


def body_of(newsroom: Newsroom, slug: str, suffix: str = "") -> str:
    page = newsroom.page(f"/news/{slug}{suffix}")
    assert page.status == 200
    return page.body.decode()


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    _, front, body = text.split("---\n", 2)
    return yaml.safe_load(front), body


def test_every_field_of_a_record_is_in_its_front_matter(newsroom: Newsroom) -> None:
    for record in newsroom.records:
        fields, body = front_matter(body_of(newsroom, record.slug, ".md"))
        said = fields | {"topics": tuple(fields["topics"]), "entities": tuple(fields["entities"])}
        del said["author"]
        assert Record(body_md=body, **said) == record


def test_some_records_name_a_source_and_every_time_has_microseconds(newsroom: Newsroom) -> None:
    sources = [record.canonical_source for record in newsroom.records]
    assert None in sources
    assert any(source and source.startswith("https://wire.example/") for source in sources)
    assert all(record.updated_at and record.updated_at.microsecond for record in newsroom.records)


def test_json_ld_says_the_same_as_the_record(newsroom: Newsroom) -> None:
    for record in newsroom.records:
        said = msgspec.json.decode(newsroom.page(f"/news/{record.slug}.jsonld").body)
        assert said["@type"] == "NewsArticle"
        assert (said["headline"], said["description"]) == (record.title, record.summary)
        assert said["articleBody"] == prose.to_text(record.body_md or "")
        assert tuple(said["keywords"]) == record.topics
        assert tuple(thing["name"] for thing in said["mentions"]) == record.entities
        assert said.get("isBasedOn") == record.canonical_source
        assert said["inLanguage"] == record.lang
        assert datetime.fromisoformat(said["datePublished"]) == record.published_at
        assert datetime.fromisoformat(said["dateModified"]) == record.updated_at


def test_the_page_declares_canonical_alternates_and_dates(newsroom: Newsroom) -> None:
    record = newsroom.records[1]
    tree = LexborHTMLParser(body_of(newsroom, record.slug))
    links = {
        (node.attributes["rel"], node.attributes.get("type")): node.attributes["href"]
        for node in tree.css("link")
    }
    assert links["canonical", None] == record.url
    assert links["alternate", "text/markdown"] == record.alternates["markdown"]
    assert links["alternate", "application/ld+json"] == record.alternates["jsonld"]
    meta = {
        node.attributes.get("property"): node.attributes.get("content") for node in tree.css("meta")
    }
    assert record.updated_at is not None
    assert meta["article:modified_time"] == f"{record.updated_at:%Y-%m-%dT%H:%M:%SZ}"
    assert meta["og:url"] == record.url
    heading = tree.css_first("article h1")
    assert heading is not None
    assert heading.text() == record.title


def test_the_text_has_the_words_and_no_marks(newsroom: Newsroom) -> None:
    record = newsroom.records[0]
    text = body_of(newsroom, record.slug, ".txt")
    assert text.startswith(f"{record.title}\n\n{record.summary}\n\n")
    assert "](" not in text
    assert "**" not in text


@settings(max_examples=50)
@given(
    title=st.text(st.characters(exclude_categories=["Cs"])),
    body=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_hostile_words_survive_markdown_and_stay_words_in_html(title: str, body: str) -> None:
    record = Record(slug="s", title=title, url=f"{BASE}/news/s", body_md=body)
    fields, kept = front_matter_raw(markdown(record))
    assert (fields["title"], kept) == (title, body)
    page = LexborHTMLParser(html(msgspec.structs.replace(record, title="<script>x</script>"), BASE))
    assert [n for n in page.css("script") if n.attributes.get("type") is None] == []


def front_matter_raw(text: str) -> tuple[dict[str, Any], str]:
    """Split at the first closing fence only, with the body's bytes untouched."""
    front, _, body = text.removeprefix("---\n").partition("\n---\n")
    return yaml.safe_load(front), body


def test_an_open_edit_changes_words_and_date_everywhere(newsroom: Newsroom) -> None:
    before = newsroom.records[2]
    after = newsroom.edit(before.slug)
    edited = after.record(before.slug)
    assert edited.updated_at is not None
    assert before.updated_at is not None
    assert edited.updated_at > before.updated_at
    assert edited.body_md != before.body_md
    assert newsroom.record(before.slug) == before
    assert edited.updated_at.isoformat() in after.page("/sitemap-1.xml").body.decode()
    for suffix in ("", ".md", ".txt", ".jsonld"):
        assert "wrong figure" in body_of(after, before.slug, suffix)


def test_a_silent_edit_keeps_the_date(newsroom: Newsroom) -> None:
    before = newsroom.records[2]
    after = newsroom.edit_silently(before.slug, title="Another title")
    edited = after.record(before.slug)
    assert (edited.title, edited.updated_at) == ("Another title", before.updated_at)
    assert after.page("/sitemap-1.xml") == newsroom.page("/sitemap-1.xml")


def test_touch_and_revert(newsroom: Newsroom) -> None:
    slug = newsroom.records[3].slug
    first = newsroom.record(slug)
    at = datetime(2025, 8, 1, 12, tzinfo=UTC)
    edited = newsroom.edit(slug, at=at, title="Edited")
    assert edited.record(slug).updated_at == at
    back = edited.revert(slug, at=at + timedelta(hours=1)).record(slug)
    assert (back.title, back.updated_at) == (first.title, at + timedelta(hours=1))
    assert edited.revert(slug).record(slug).updated_at == at
    touched = newsroom.touch(slug).record(slug)
    assert touched.body_md == first.body_md
    assert touched.updated_at != first.updated_at
    with pytest.raises(ValueError, match="no earlier edition"):
        newsroom.revert(slug)


def test_delete_restore_and_add(newsroom: Newsroom) -> None:
    slug = newsroom.records[4].slug
    without = newsroom.delete(slug, status=410)
    assert without.page(f"/news/{slug}.md").status == 410
    assert slug not in without.page("/sitemap-1.xml").body.decode()
    assert without.restore(slug).record(slug) == newsroom.record(slug)
    more = newsroom.add()
    assert len(more.records) == len(newsroom.records) + 1
    assert more.page(f"/news/{more.records[-1].slug}").status == 200


def test_a_move_redirects_every_format_and_keeps_the_place(newsroom: Newsroom) -> None:
    slug = newsroom.records[5].slug
    moved = newsroom.move(slug, "new-name").move("new-name", "newer name")
    page = moved.page(f"/news/{slug}.md")
    assert (page.status, page.location) == (301, f"{BASE}/news/newer%20name.md")
    assert moved.page("/news/newer%20name").status == 200
    assert moved.records[5].slug == "newer name"
    assert moved.record("newer name").published_at == newsroom.records[5].published_at


def test_a_dropped_format_is_neither_served_nor_named(newsroom: Newsroom) -> None:
    slug = newsroom.records[6].slug
    dropped = newsroom.drop_format(slug, "text")
    assert dropped.page(f"/news/{slug}.txt").status == 404
    assert "text/plain" not in body_of(dropped, slug)
    assert dropped.restore_format(slug, "text").record(slug) == newsroom.record(slug)


def test_records_of_ones_own_can_be_published() -> None:
    record = Record(slug="a.md", title="A", url=f"{BASE}/news/a.md", alternates={"html": "x"})
    newsroom = Newsroom.of(BASE, (record,))
    assert newsroom.page("/news/a.md").status == 200
    with pytest.raises(ValueError, match="no updated_at"):
        newsroom.edit("a.md")
