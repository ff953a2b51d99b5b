"""What a row says comes back as a value, moments exact."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from storage.index.rows import from_micros, snapshot_row, to_micros
from storage.model import Finding
from tests.storage.drafts import SEEN
from tests.storage.index.made import built, snapshot_of


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
