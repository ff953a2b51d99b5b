"""Rows are a pure function of a manifest and its place."""

from __future__ import annotations

import pytest
from msgspec import structs

from storage.index.deriving import rows_of
from storage.index.naming import AS_ITS_URL, file_of
from tests.storage.drafts import UPDATED, event
from tests.storage.index.made import PLACE, built, snapshot_of


def test_a_file_named_by_its_url_is_not_written_out() -> None:
    manifest = built()
    (_, _, file), (_, _, other) = rows_of(manifest, PLACE).urls
    assert file == other == AS_ITS_URL
    for one in manifest.representations:
        row = {"url": one.url, "format": one.format, "file": AS_ITS_URL}
        assert file_of(row) == one.file
        assert file_of(row | {"file": "a/b.html"}) == "a/b.html"


def test_records_stand_behind_the_manifest_in_group_order() -> None:
    manifest = built()
    rows = rows_of(manifest, PLACE)
    first, second = manifest.records
    head = PLACE.length - first.length - second.length
    assert snapshot_of(manifest)["head"] == head
    places = [row[-2:] for row in rows.representations]
    assert places == [
        (100 + head, first.length),
        (100 + head + first.length, second.length),
    ]


def test_a_format_without_bytes_has_neither_place_nor_validator() -> None:
    manifest = built()
    bare = structs.replace(
        manifest,
        representations=tuple(
            structs.replace(one, record_id="") for one in manifest.representations
        ),
    )
    rows = rows_of(bare, PLACE)
    assert {row[-2:] for row in rows.representations} == {(0, 0)}
    assert rows.validators == ()


def test_a_move_gives_the_article_its_other_slug_and_urls() -> None:
    manifest = event(
        "moved", detail={"to": "https://news.example/new", "slug": "new"}, aliases=("https://x/",)
    ).manifest
    rows = rows_of(manifest, PLACE)
    assert rows.snapshot is None
    assert rows.event is not None
    names = {name: is_url for _, name, _, is_url, _ in rows.names}
    assert names == {
        "https://news.example/new": True,
        "https://news.example/news/story": True,
        "https://x/": True,
        "new": False,
    }


def test_a_snapshot_without_a_key_is_refused() -> None:
    with pytest.raises(ValueError, match="no key"):
        rows_of(structs.replace(built(), key=None), PLACE)


def test_the_same_manifest_gives_the_same_rows() -> None:
    manifest = built(updated=UPDATED)
    assert rows_of(manifest, PLACE) == rows_of(manifest, PLACE)
