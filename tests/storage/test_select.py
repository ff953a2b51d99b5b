"""Which snapshot a person means."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from storage.errors import NoSuchArticle
from storage.files import Names
from storage.groups import Builder
from storage.index.columns import COLUMNS
from storage.index.deriving import rows_of
from storage.index.rows import Place, SnapshotRow, snapshot_row
from storage.select import by_spec, pick, urls_meant
from storage.times import WhenError
from tests.storage.drafts import SEEN, UPDATED, article, hour

LATER = datetime(2026, 6, 21, 8, tzinfo=UTC)
DAY = datetime(2026, 6, 22, tzinfo=UTC)


def history() -> list[SnapshotRow]:
    """Return a first edition, two silent edits, an open one, and one under a date."""
    builder = Builder({}, Names())
    drafts = [
        article(edition="1", seen=hour(0)),
        article(edition="2", seen=hour(1)),
        article(edition="3", seen=hour(2)),
        article(edition="4", seen=hour(30), updated=LATER),
        article(edition="5", seen=hour(60), updated=DAY),
    ]
    place = Place(id="urn:uuid:1", segment="s/s", offset=0, length=10_000)
    rows = [rows_of(builder.build(draft).manifest, place).snapshot for draft in drafts]
    columns = COLUMNS["snapshots"]
    found = [snapshot_row(dict(zip(columns, row, strict=True))) for row in rows if row]
    return [*found[:4], structs.replace(found[4], unit="day")]


@pytest.mark.parametrize(
    ("spec", "sequence"),
    [
        ("2", 2),
        ("2026-06-19T09:13:50.166750Z", 3),
        ("2026-06-19T11:13:50.166750+02:00", 3),
        ("2026-06-19T09:13:50Z", 3),
        ("2026-06-19T09:13:50.166750Z.r0", 1),
        ("2026-06-19T09:13:50.166750Z.r1", 2),
        ("2026-06-21T08:00:00Z", 4),
        ("2026-06-22", 5),
        ("2026-06-20T13:30:00Z", 2),
        ("2026-06-20", 3),
        ("2030-01-01", 5),
    ],
)
def test_a_spec_is_a_number_a_key_or_a_moment(spec: str, sequence: int) -> None:
    assert by_spec(history(), spec, DAY).sequence == sequence


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("9", "no snapshot number 9; it has 1, 2, 3, 4, 5"),
        ("2026-06-19T09:13:50.166750Z.r7", "no revision 7 .* it has r0, r1, r2"),
        ("2020-01-01T00:00:00Z.r0", "no snapshot under"),
        ("2020-01-01", "as early as"),
    ],
)
def test_what_is_not_there_is_said(spec: str, why: str) -> None:
    with pytest.raises(NoSuchArticle, match=why):
        by_spec(history(), spec, DAY)


@given(st.text(max_size=20))
def test_any_words_give_a_snapshot_or_a_sentence(spec: str) -> None:
    try:
        assert by_spec(history(), spec, DAY).slug == "story"
    except (NoSuchArticle, WhenError) as error:
        assert str(error)  # noqa: PT017  - either outcome is right, silence is not


def test_at_is_inclusive_and_revision_picks_within_its_key() -> None:
    rows = history()
    assert pick(rows).sequence == 5
    assert pick(rows, at=hour(1)).sequence == 2
    assert pick(rows, at=hour(2), revision=0).sequence == 1
    assert pick(rows, at=UPDATED, by="updated").sequence == 3
    with pytest.raises(NoSuchArticle, match="as early as"):
        pick(rows, at=UPDATED)
    with pytest.raises(NoSuchArticle, match="no revision 4"):
        pick(rows, at=SEEN, revision=4)


def test_an_article_dated_far_ahead_hides_nothing_by_observation() -> None:
    rows = [structs.replace(row) for row in history()]
    rows[0] = structs.replace(rows[0], updated_at=datetime(2062, 1, 1, tzinfo=UTC))
    assert pick(rows, at=hour(2)).sequence == 3


@pytest.mark.parametrize(
    ("text", "one_of_them"),
    [
        ("https://a.example/x", "https://a.example/x"),
        ("https://a.example/x", "http://a.example/x/"),
        ("a.example/x/", "https://a.example/x"),
        ("https://a.example/x?q=1#f", "https://a.example/x?q=1"),
    ],
)
def test_a_url_means_its_near_forms_too(text: str, one_of_them: str) -> None:
    assert one_of_them in urls_meant(text)


def test_a_bare_word_is_no_url() -> None:
    assert urls_meant("story") == ()
