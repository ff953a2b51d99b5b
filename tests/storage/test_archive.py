"""The one door for reading: lists, names, snapshots and bytes."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import storage
from storage.archive import Archive, Asked
from storage.errors import (
    AmbiguousSlug,
    DamageFound,
    IndexUnusable,
    NewerFormat,
    NoSuchArticle,
    NotAMirror,
)
from storage.model import ContentDigest, EntryState
from storage.notes import Notes
from tests.modes import unwritable
from tests.storage.drafts import (
    SCOPE,
    SEEN,
    SITE,
    article,
    event,
    hour,
    open_store,
    segments_of,
    stored,
    words,
)
from tests.storage.indexes import lose


def slugs(archive: Archive, **wanted: Any) -> list[str]:
    return [row.slug for row in archive.newest_all(**wanted)]


def test_the_package_gives_the_archive() -> None:
    assert storage.Archive is Archive
    with pytest.raises(AttributeError, match="nothing"):
        storage.nothing  # noqa: B018  - that is what is tried


def test_opening_says_what_is_wrong_and_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(NotAMirror):
        Archive.open(tmp_path)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "mirror.json").write_text('{"format": 99}')
    with pytest.raises(NewerFormat):
        Archive.open(tmp_path)


def test_a_new_mirror_is_empty_and_readable(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "mirror") as archive:
        assert archive.sites() == []
        assert slugs(archive) == []
        assert archive.status() == []
    assert [path.name for path in (tmp_path / "mirror").iterdir()] == ["mirror.json"]


def test_a_missing_index_beside_segments_says_what_to_run(tmp_path: Path) -> None:
    stored(tmp_path, article())
    lose(tmp_path)
    with pytest.raises(IndexUnusable, match="slugline reindex"):
        Archive.open(tmp_path)


def test_reading_leaves_no_trace(tmp_path: Path) -> None:
    stored(tmp_path, article())
    before = sorted(tmp_path.rglob("*"))
    with Archive.open(tmp_path) as archive:
        assert slugs(archive) == ["story"]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.index_file("root without its rights may not connect to another's database")
def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    stored(tmp_path, article())
    with unwritable(tmp_path), Archive.open(tmp_path) as archive:
        assert slugs(archive) == ["story"]


def test_newest_goes_by_sequence_and_not_by_clock(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article(edition=" 1", seen=hour(5), updated=hour(1)),
        article(edition=" 2", seen=hour(1), updated=hour(0), reason="edit"),
    )
    with Archive.open(tmp_path) as archive:
        (row,) = archive.newest_all()
        assert (row.sequence, row.observed_at) == (2, hour(1))
        manifest = archive.newest(SITE, "story")
        assert manifest is not None
        assert archive.body(manifest, "html").decoded == words("story", "html", " 2")


def test_lists_can_be_cut_by_time_and_site(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("a", seen=hour(0)),
        article("b", seen=hour(2)),
        article("a", edition=" 2", seen=hour(4)),
        article("c", seen=hour(1), site="other.example"),
        article("original", seen=hour(1), site="source.example", implicit=True),
    )
    with Archive.open(tmp_path) as archive:
        assert slugs(archive) == ["a", "b", "c"]
        assert slugs(archive, canonicals=True) == ["a", "b", "c", "original"]
        assert slugs(archive, site="other.example") == ["c"]
        assert slugs(archive, since=hour(2)) == ["a", "b"]
        early = list(archive.newest_all(at=hour(1)))
        assert [(row.slug, row.sequence) for row in early] == [("a", 1), ("c", 1)]
        since = archive.changes(Asked(since=hour(1)))
        assert [change.row.slug for change in since] == ["c", "b", "a"]
        assert [row.sequence for row in archive.all_history(SITE)] == [1, 2, 1]


def test_long_lists_come_in_pages_without_a_gap(tmp_path: Path) -> None:
    store = open_store(tmp_path, files=False)
    drafts = [article(f"s{number:04}", formats=()) for number in range(2_001)]
    store.commit(drafts, Notes(at=SEEN))
    store.close()
    with Archive.open(tmp_path) as archive:
        assert slugs(archive) == [f"s{number:04}" for number in range(2_001)]


def test_gone_stands_until_the_article_is_seen_again(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), article("b"))
    stored(tmp_path, event("gone", "a", seen=hour(1)), event("gone", "b", seen=hour(1)))
    stored(tmp_path, event("returned", "b", seen=hour(2)))
    with Archive.open(tmp_path) as archive:
        gone = {row.slug: row.gone_at for row in archive.newest_all()}
        assert gone == {"a": hour(1), "b": None}
        assert {row.slug: row.gone_at for row in archive.newest_all(at=SEEN)} == {
            "a": None,
            "b": None,
        }
        assert [row.event for row in archive.events(SITE, "b")] == ["gone", "returned"]
        (told,) = archive.events(SITE, "a")
        assert archive.manifest(told).event == "gone"
        assert archive.status()[0].gone == 1
    stored(tmp_path, article("a", seen=hour(3)))
    with Archive.open(tmp_path) as archive:
        assert [row.gone_at for row in archive.newest_all()] == [None, None]


def test_a_name_is_a_slug_a_url_or_an_alias(tmp_path: Path) -> None:
    stored(tmp_path, article("story", aliases=("https://news.example/2026/story",)))
    with Archive.open(tmp_path) as archive:
        for name in (
            "story",
            "https://news.example/news/story",
            "http://news.example/news/story/",
            "news.example/news/story",
            "https://news.example/news/story#top",
            "https://news.example/2026/story",
            "https://news.example/news/story.md",
        ):
            assert archive.find(name) == (SITE, "story"), name
        with pytest.raises(NoSuchArticle, match="slugline list"):
            archive.find("stories")
        with pytest.raises(NoSuchArticle, match="on other"):
            archive.find("story", "other")


def test_a_slug_on_several_sites_names_them(tmp_path: Path) -> None:
    stored(tmp_path, article("a", site="x.example"), article("a", site="y.example"))
    with Archive.open(tmp_path) as archive:
        with pytest.raises(AmbiguousSlug, match=r"x\.example, y\.example"):
            archive.find("a")
        assert archive.find("a", "y.example") == ("y.example", "a")


def test_a_slug_is_its_owners_before_it_is_anothers_second_name(tmp_path: Path) -> None:
    other = event("moved", "old", detail={"slug": "story"}, seen=hour(1))
    stored(tmp_path, article("story"), article("old"), other)
    with Archive.open(tmp_path) as archive:
        assert archive.resolve("story") == [(SITE, "story")]
        assert archive.slugs(SITE) == {
            "old": "https://news.example/news/old",
            "story": "https://news.example/news/story",
        }


def test_bytes_come_through_a_revisit(tmp_path: Path) -> None:
    stored(tmp_path, article(coding="gzip"))
    stored(tmp_path, article(coding="gzip", seen=hour(1), reason="undated"))
    with Archive.open(tmp_path) as archive:
        manifest = archive.newest(SITE, "story")
        assert manifest is not None
        body = archive.body(manifest, "markdown")
        assert body.representation.target_id
        assert body.decoded == words("story", "markdown", "")
        assert body.stored != body.decoded
        assert ("Content-Encoding", "gzip") in body.headers
        assert (body.status, body.reason) == (200, "OK")


def test_a_format_that_is_not_there_is_said_with_those_that_are(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html", "text")))
    stored(tmp_path, article(formats=("html",), seen=hour(1), edition=" 2"))
    with Archive.open(tmp_path) as archive:
        manifest = archive.newest(SITE, "story")
        assert manifest is not None
        with pytest.raises(NoSuchArticle, match="it has html"):
            archive.body(manifest, "text")
        assert archive.newest(SITE, "nobody") is None


def test_damaged_bytes_are_never_shown(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[-40] ^= 1
    segment.write_bytes(data)
    with Archive.open(tmp_path) as archive:
        manifest = archive.newest(SITE, "story")
        assert manifest is not None
        with pytest.raises(DamageFound):
            archive.body(manifest, "markdown")


def test_status_counts_what_stands(tmp_path: Path) -> None:
    failed = EntryState(site=SITE, url="https://x/", verdict="failed", checked_at=SEEN, run="r")
    store = open_store(tmp_path)
    drafts = [article("a"), article("a", edition=" 2"), article("b", state="partial")]
    store.commit(drafts, Notes(at=SEEN, entries=(failed,)))
    store.close()
    with Archive.open(tmp_path) as archive:
        (status,) = archive.status()
        assert (status.site, status.scope) == (SITE, SCOPE)
        assert (status.articles, status.snapshots, status.partial, status.failed) == (2, 3, 1, 1)
        assert status.segments == 1
        assert status.bytes == len(segments_of(tmp_path)[0].read_bytes())
        assert status.newest_observed_at == SEEN
        assert archive.status("nowhere") == []


def test_snapshots_are_found_again_by_all_of_the_words_asked_for_newest_first(
    tmp_path: Path,
) -> None:
    def content(markdown: str, text: str) -> dict[str, ContentDigest]:
        return {
            source: ContentDigest(digest=sha256(said.encode()).hexdigest(), extractor="words/1")
            for source, said in (("markdown", markdown), ("text", text))
        }

    said = [("a", "x"), ("b", "x"), ("a", "y"), ("a", "x"), ("c", "z")]
    stored(tmp_path, *(article(edition=f"{n}", content=content(*c)) for n, c in enumerate(said)))
    with Archive.open(tmp_path) as archive:

        def found(before: int, *sources: str) -> list[int]:
            words = {source: content("a", "x")[source] for source in sources}
            return [m.sequence for m in archive.with_words(SITE, "story", before, words)]

        assert found(5, "markdown", "text") == [4, 1]
        assert found(4, "markdown", "text") == [1]
        assert found(5, "markdown") == [4, 3, 1]
        assert found(1, "markdown") == []
