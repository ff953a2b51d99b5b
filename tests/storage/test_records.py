"""Reading by the index's word: what is not there as it says is damage, and said where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from storage.errors import DamageFound
from storage.index.index import Index
from storage.index.queries import article_events, history
from storage.index.rows import SnapshotRow
from storage.model import Manifest
from storage.records import Records
from tests.storage.drafts import (
    SITE,
    article,
    event,
    hour,
    keep,
    open_store,
    segments_of,
    stored,
    words,
)


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    stored(tmp_path, article(), event("gone"))
    opened = Index.to_read(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def records(tmp_path: Path, index: Index) -> Iterator[Records]:
    made = Records(tmp_path, index)
    yield made
    made.close()


@pytest.fixture
def row(index: Index) -> SnapshotRow:
    return history(index, SITE, "story")[0]


def body_id(manifest: Manifest, name: str) -> str:
    shown = manifest.representation(name)
    assert shown is not None
    return shown.record_id


def test_manifests_of_snapshots_and_events_are_read_by_their_rows(
    index: Index, records: Records, row: SnapshotRow
) -> None:
    (happened,) = article_events(index, SITE, "story")
    assert records.manifest(row).reason == "first"
    assert records.manifest(happened).event == "gone"


def test_a_body_is_read_by_its_records_id(records: Records, row: SnapshotRow) -> None:
    key = body_id(records.manifest(row), "markdown")
    assert records.body(key) == words("story", "markdown", "")
    assert records.answer(key).head.id == key


def test_an_id_that_the_index_does_not_know_is_damage(records: Records) -> None:
    with pytest.raises(DamageFound, match="urn:uuid:none is referred to and not there"):
        records.body("urn:uuid:none")


def test_another_record_at_the_place_is_damage(records: Records, row: SnapshotRow) -> None:
    with pytest.raises(DamageFound, match="it holds urn:uuid:"):
        records.manifest(structs.replace(row, id="urn:uuid:another"))


def test_a_place_inside_a_record_is_damage(records: Records, row: SnapshotRow) -> None:
    with pytest.raises(DamageFound, match=f"at byte {row.offset + 3}"):
        records.manifest(structs.replace(row, offset=row.offset + 3))


def test_a_place_past_the_end_of_the_file_is_damage(records: Records, row: SnapshotRow) -> None:
    with pytest.raises(DamageFound):
        records.manifest(structs.replace(row, offset=10**9))


def test_a_missing_segment_is_named(tmp_path: Path, records: Records, row: SnapshotRow) -> None:
    segments_of(tmp_path)[0].unlink()
    with pytest.raises(DamageFound, match="is not there"):
        records.manifest(row)


def test_a_flipped_bit_is_never_shown(tmp_path: Path, records: Records, row: SnapshotRow) -> None:
    key = body_id(records.manifest(row), "html")
    records.close()
    (segment,) = segments_of(tmp_path)
    data = bytearray(segment.read_bytes())
    data[row.offset + row.head + 60] ^= 1
    segment.write_bytes(data)
    with pytest.raises(DamageFound, match=segment.name):
        records.body(key)


def test_what_a_writer_adds_meanwhile_is_read_too(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    keep(store, article())
    index = Index.to_read(tmp_path)
    records = Records(tmp_path, index)
    records.manifest(history(index, SITE, "story")[0])
    keep(store, article(edition=" again", seen=hour(1), reason="edit"))
    newest = history(index, SITE, "story")[-1]
    assert records.manifest(newest).sequence == 2
    records.close()
    index.close()
    store.close()


def test_many_segments_are_read_with_few_files_open(tmp_path: Path) -> None:
    sites = [f"s{number}.example" for number in range(40)]
    stored(tmp_path, *(article(site=site, formats=()) for site in sites), files=False)
    index = Index.to_read(tmp_path)
    records = Records(tmp_path, index)
    open_before = len(list(Path("/dev/fd").iterdir()))
    for site in (*sites, *sites):
        assert records.manifest(history(index, site, "story")[0]).site == site
    assert len(list(Path("/dev/fd").iterdir())) - open_before <= 33
    records.close()
    index.close()
