"""What a row says comes back as a value, moments exact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from storage.files import Names
from storage.groups import Builder
from storage.index.columns import COLUMNS
from storage.index.deriving import rows_of
from storage.index.rows import Place, Row, from_micros, snapshot_row, to_micros
from storage.model import Finding, Manifest
from tests.storage.drafts import SEEN, article

PLACE = Place(id="urn:uuid:1", segment="news.example/s-1.warc.gz", offset=100, length=10_000)


def built(**changes: Any) -> Manifest:
    return Builder({}, Names()).build(article(**changes)).manifest


def snapshot_of(manifest: Manifest) -> Row:
    values = rows_of(manifest, PLACE).snapshot
    assert values is not None
    return dict(zip(COLUMNS["snapshots"], values, strict=True))


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
