"""Segments in a bucket: safe in the spool, seen when indexed, and every fault between the two."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from storage import layout
from storage.archive import Archive
from storage.layout import with_schema
from storage.model import EntryState
from storage.notes import Notes
from storage.reindex import reindex
from storage.upkeep.forget import forget
from tests.s3 import BUCKET
from tests.storage.drafts import (
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
from tests.storage.segments.spools import (
    abandoned,
    bring_back,
    kept,
    noted,
    orphaned,
    safe,
    slugs,
    spooled,
)
from tests.storage.test_writer import killed_after
from tests.storage.upkeep.test_forget import bytes_of
from tests.storage.verify.harming import problems

pytestmark = pytest.mark.usefixtures("bucket")


def test_a_batch_is_safe_in_the_spool_and_seen_when_published(tmp_path: Path) -> None:
    store = safe(tmp_path, "a", "b")
    assert len(spooled(tmp_path)) == 1
    assert slugs(tmp_path) == []
    assert segments_of(tmp_path) == []
    store.publish()
    assert slugs(tmp_path) == ["a", "b"]
    assert len(segments_of(tmp_path)) == 1
    assert spooled(tmp_path) == []
    store.close()
    assert problems(tmp_path) == []


def test_batches_build_on_what_is_not_seen_yet(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    again = article("a", edition=" 2", seen=hour(1), reason="silent-edit")
    store.commit([again, article("A")], Notes(at=SEEN))
    store.commit([article("a", seen=hour(2), reason="reverted")], Notes(at=SEEN))
    store.commit([event("gone", "a", seen=hour(3))], Notes(at=SEEN))
    store.close()
    with Archive.open(tmp_path) as archive:
        rows = archive.history(SITE, "a")
        assert [(row.sequence, row.revision) for row in rows] == [(1, 0), (2, 1), (3, 2)]
        manifest = archive.manifest(rows[2])
        assert {ref.type for ref in manifest.records} == {"revisit"}
        files = {one.file for row in rows for one in archive.manifest(row).representations}
        (capital,) = archive.history(SITE, "A")
        assert files.isdisjoint(one.file for one in archive.manifest(capital).representations)
        assert archive.body(manifest, "html").decoded == words("a", "html", "")
    assert problems(tmp_path) == []


def test_notes_are_seen_with_their_batch_and_not_before(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE, url="https://news.example/a", verdict="article", checked_at=SEEN, run="a-run"
    )
    store = open_store(tmp_path, files=False)
    store.commit([article("a")], Notes(at=SEEN, entries=(entry,)))
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {}
    store.publish()
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {entry.url: entry}
    store.close()


# after a kill


def test_what_was_spooled_is_drained_by_the_next_run(tmp_path: Path) -> None:
    abandoned(safe(tmp_path, "a", "b"))
    assert "2 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a", "b"]
    assert spooled(tmp_path) == []
    assert noted(tmp_path) == ()
    assert problems(tmp_path) == []


@pytest.mark.index_file("its file is set back")
def test_what_was_put_and_not_indexed_is_put_once(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    before = kept(tmp_path, "spool", "index.sqlite")
    store.close()
    bring_back(tmp_path, before)
    assert "1 groups" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a"]
    assert len(segments_of(tmp_path)) == 1
    assert spooled(tmp_path) == []


def test_what_was_indexed_and_left_in_the_spool_is_removed(tmp_path: Path) -> None:
    store = safe(tmp_path, "a")
    before = kept(tmp_path, "spool")
    store.close()
    bring_back(tmp_path, before)
    assert noted(tmp_path) == ()
    assert slugs(tmp_path) == ["a"]
    assert spooled(tmp_path) == []


def test_notes_of_what_was_spooled_are_not_lost(tmp_path: Path) -> None:
    entry = EntryState(
        site=SITE, url="https://news.example/a", verdict="article", checked_at=SEEN, run="a-run"
    )
    store = open_store(tmp_path, files=False)
    store.commit([article("a")], Notes(at=SEEN, entries=(entry,)))
    store.commit([], Notes(at=SEEN, memory=((SITE, "key", "[1]"),)))
    store.commit([], Notes(at=SEEN, memory=((SITE, "key", "[2]"),)))
    abandoned(store)
    with (tmp_path / "spool" / "notes").open("r+b") as file:
        file.truncate((tmp_path / "spool" / "notes").stat().st_size - 1)
    noted(tmp_path)
    with Archive.open(tmp_path) as archive:
        assert archive.entries(SITE) == {entry.url: entry}
        assert archive.memory(SITE) == {"key": "[1]"}
    assert not (tmp_path / "spool" / "notes").exists()


def test_kill_9_at_any_moment_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    promised: list[str] = []
    random = Random(7)
    for number in range(3):
        promised += killed_after(tmp_path, number * 100_000, random.randrange(1, 300), every=40)
    noted(tmp_path)
    found = slugs(tmp_path)
    assert len(set(found)) == len(found)
    assert set(promised) - {"open"} <= set(found)
    assert spooled(tmp_path) == []
    assert problems(tmp_path) == []
    reindex(tmp_path, SEEN)
    assert slugs(tmp_path) == found


def test_a_torn_spool_is_cut_and_the_rest_is_drained(tmp_path: Path) -> None:
    abandoned(safe(tmp_path, "a"))
    (path,) = (tmp_path / "spool").glob("*/*.warc.gz")
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    assert "unfinished write" in " ".join(noted(tmp_path))
    assert slugs(tmp_path) == ["a"]
    assert [lost.stat().st_size for lost in (tmp_path / "lost").glob("*/*")] == [100]


def test_what_was_put_and_whose_spool_is_lost_is_indexed_again(tmp_path: Path) -> None:
    stored(tmp_path, article("a"), files=False)
    orphaned(tmp_path, article("a", edition=" 2", seen=hour(1)), article("b"))
    assert slugs(tmp_path) == ["a"]
    reindex(tmp_path, SEEN)
    assert slugs(tmp_path) == ["a", "a", "b"]
    assert problems(tmp_path) == []


def test_what_is_forgotten_does_not_come_back_from_a_spool_or_an_orphan(
    tmp_path: Path, database: str
) -> None:
    one, two = (tmp_path / name for name in ("one", "two"))
    for root in (one, two):
        place = f"s3://{BUCKET}/forgetting-{tmp_path.name}"
        layout.make(root, index=with_schema(database, "shared"), segments=place)
    stored(two, article("a"), article("b"), files=False)
    again = [article(slug, edition=" 2", seen=hour(1), reason="edit") for slug in ("a", "b")]
    # One writer died and its disk with it, another one's disk is still there.
    orphaned(one, *again)
    first = open_store(one, files=False)
    first.commit([article("a", edition=" 3", seen=hour(2), reason="edit")], Notes(at=SEEN))
    abandoned(first)
    assert forget(two, "a", reason="a court asked", now=hour(3)).groups == 2
    noted(one)
    assert slugs(two) == ["b"]
    reindex(two, SEEN)
    assert slugs(two) == ["b", "b"]
    for root in (one, two):
        assert problems(root) == []
        assert [name for name, data in bytes_of(root) if b"a as " in data] == []


# when the bucket is away


# reading
