"""Rows are a pure function of a manifest and its place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage.files import Names
from storage.groups import Builder
from storage.index.columns import COLUMNS
from storage.index.naming import AS_ITS_URL, file_of
from storage.index.rows import Place, Row, from_micros, rows_of, snapshot_row, to_micros
from storage.model import Finding, Manifest
from tests.storage.drafts import SEEN, UPDATED, article, event

PLACE = Place(id="urn:uuid:1", segment="news.example/s-1.warc.gz", offset=100, length=10_000)


def built(**changes: Any) -> Manifest:
    return Builder({}, Names()).build(article(**changes)).manifest


def snapshot_of(manifest: Manifest) -> Row:
    values = rows_of(manifest, PLACE).snapshot
    assert values is not None
    return dict(zip(COLUMNS["snapshots"], values, strict=True))


def test_a_file_named_by_its_url_is_not_written_out() -> None:
    manifest = built()
    (_, _, file), (_, _, other) = rows_of(manifest, PLACE).urls
    assert file == other == AS_ITS_URL
    for one in manifest.representations:
        row = {"url": one.url, "format": one.format, "file": AS_ITS_URL}
        assert file_of(row) == one.file
        assert file_of(row | {"file": "a/b.html"}) == "a/b.html"


@given(
    st.datetimes(
        min_value=datetime(1, 1, 1),
        timezones=st.just(UTC),
    )
)
def test_a_moment_survives_its_column(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_a_snapshot_comes_back_from_its_row_as_the_contract_shows_it() -> None:
    found = Finding(kind="date-only", detail="why", formats=("html",))
    manifest = built(findings=(found,), state="partial", missing={"text": "404"})
    line = snapshot_row(snapshot_of(manifest)).as_log()
    assert list(line) == [
        "site",
        "slug",
        "url",
        "updated_at",
        "revision",
        "reason",
        "observed_at",
        "state",
        "formats",
        "missing",
        "findings",
        "title",
    ]
    assert line["updated_at"] == "2026-06-19T09:13:50.166750Z"
    assert line["formats"] == ["html", "markdown"]
    assert line["missing"] == {"text": "404"}
    assert line["findings"] == [{"kind": "date-only", "detail": "why", "formats": ["html"]}]


def test_gone_at_stands_in_the_line_only_where_it_is_set() -> None:
    assert snapshot_row(snapshot_of(built()), SEEN).as_log()["gone_at"] == "2026-06-20T12:00:00Z"


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
