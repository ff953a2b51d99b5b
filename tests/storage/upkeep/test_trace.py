"""All that a mirror has of one article, from the index and from what manifests say."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from storage.errors import AmbiguousSlug, NoSuchArticle
from storage.model import Record
from storage.upkeep.trace import trace
from tests.storage.drafts import SITE, article, event, hour, segments_of, stored

URL = f"https://{SITE}/news/story"


def test_every_url_file_and_title_is_found(tmp_path: Path) -> None:
    titled = Record(slug="story", url=URL, title="Another title")
    stored(
        tmp_path, article(),
        article(edition="!", seen=hour(3), reason="edit", record=titled),
        event("alias", seen=hour(4), aliases=(f"https://{SITE}/p/1",)),
        article("other"),
    )  # fmt: skip
    found = trace(tmp_path, "story")
    assert found == trace(tmp_path, URL) == trace(tmp_path, f"https://{SITE}/p/1")
    assert (found.site, found.slug, found.url, found.implicit) == (SITE, "story", URL, False)
    assert set(found.urls) == {URL, f"{URL}.md", f"https://{SITE}/p/1"}
    assert sorted(found.files) == [f"{SITE}/news/story.html", f"{SITE}/news/story.md"]
    assert found.words == ("Another title", "The story")
    assert (found.formats, found.snapshots) == (("html", "markdown"), 2)
    assert (found.first, found.last) == (hour(0), hour(3))
    assert (found.tombstone, found.related) == (None, ())


def test_what_names_the_same_original_or_has_the_same_urls_is_related(tmp_path: Path) -> None:
    source = "https://origin.example/news/tale"
    record = Record(slug="story", url=URL, title="A tale", canonical_source=source)
    copy = article("copy", formats=("html",))
    shared = structs.replace(copy.manifest.representations[0], url=URL, final_url=URL)
    stored(
        tmp_path, article(record=record), article("tale", site="origin.example"),
        structs.replace(copy, manifest=structs.replace(copy.manifest, representations=(shared,))),
    )  # fmt: skip
    assert trace(tmp_path, "story").related == (
        ("news.example", "copy"),
        ("origin.example", "tale"),
    )


def test_of_damaged_snapshots_the_index_tells_enough(tmp_path: Path) -> None:
    stored(tmp_path, article())
    whole = trace(tmp_path, "story")
    for segment in segments_of(tmp_path):
        segment.write_bytes(bytes(len(segment.read_bytes())))
    assert trace(tmp_path, "story") == whole


def test_a_tombstone_that_is_the_last_word_is_named(tmp_path: Path) -> None:
    stored(tmp_path, article(), event("forgotten", seen=hour(1), detail={"reason": "asked"}))
    found = trace(tmp_path, "story").tombstone
    assert found is not None
    assert (found.sequence, found.detail) == (2, {"reason": "asked"})
    stored(tmp_path, event("alias", seen=hour(2)))
    assert trace(tmp_path, "story").tombstone is None


def test_nobody_and_several_are_said(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(site="other.example"))
    with pytest.raises(NoSuchArticle):
        trace(tmp_path, "nobody")
    with pytest.raises(AmbiguousSlug):
        trace(tmp_path, "story")
    assert trace(tmp_path, "story", "other.example").site == "other.example"
