"""Which snapshots are taken: by moment, site, topic, language, privacy and reservation."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec import structs

from storage.archive import Archive
from storage.export.choosing import Chosen, taken
from storage.model import Draft
from tests.storage.drafts import article, event, hour, stored


def about(draft: Draft, **facts: Any) -> Draft:
    """Return a draft whose record says something more."""
    assert draft.manifest.record is not None
    record = structs.replace(draft.manifest.record, **facts)
    return structs.replace(draft, manifest=structs.replace(draft.manifest, record=record))


def found(root: Path, **wanted: Any) -> list[tuple[str, int]]:
    with Archive.open(root) as archive:
        return [(one.row.slug, one.row.sequence) for one in taken(archive, Chosen(**wanted))]


def gone(root: Path, **wanted: Any) -> list[datetime | None]:
    with Archive.open(root) as archive:
        return [one.row.gone_at for one in taken(archive, Chosen(**wanted))]


def test_the_newest_or_every_one_within_the_moments(tmp_path: Path) -> None:
    stored(tmp_path, *(article("a", edition=f" {n}", seen=hour(n)) for n in range(4)), article("b"))
    assert found(tmp_path) == [("a", 4), ("b", 1)]
    assert found(tmp_path, every=True) == [("a", 1), ("a", 2), ("a", 3), ("a", 4), ("b", 1)]
    assert found(tmp_path, every=True, since=hour(1), at=hour(2)) == [("a", 2), ("a", 3)]
    assert found(tmp_path, at=hour(2)) == [("a", 3), ("b", 1)]
    assert found(tmp_path, since=hour(1), at=hour(2)) == [("a", 3)]


def test_a_topic_or_another_and_a_language_with_its_regions(tmp_path: Path) -> None:
    stored(
        tmp_path,
        about(article("a"), topics=("AI", "Chips"), lang="en-GB"),
        about(article("b"), topics=("Weather",), lang="de"),
        article("c"),
    )
    assert found(tmp_path, topics=("ai",)) == [("a", 1)]
    assert found(tmp_path, topics=("chips", "weather")) == [("a", 1), ("b", 1)]
    assert found(tmp_path, lang="EN") == [("a", 1)]
    assert found(tmp_path, lang="en-gb") == [("a", 1)]
    assert found(tmp_path, lang="e") == []
    assert found(tmp_path, topics=("weather",), lang="en") == []


def test_what_is_private_foreign_or_reserved_is_left_out(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("open"),
        article("closed", private=True),
        article("original", site="source.example", implicit=True),
        article("reserved", usage={"html: tdm-reservation": "1"}),
    )
    assert found(tmp_path) == [("open", 1), ("reserved", 1)]
    assert found(tmp_path, reserved=False) == [("open", 1)]
    for every in (False, True):
        wanted = found(tmp_path, private=True, canonicals=True, every=every)
        assert [slug for slug, _ in wanted] == ["closed", "open", "reserved", "original"]


def test_it_is_told_when_an_article_was_gone_after_a_snapshot(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("a"),
        event("gone", "a", seen=hour(1)),
        article("a", edition=" 2", seen=hour(2)),
        event("gone", "a", seen=hour(3)),
        event("returned", "a", seen=hour(4)),
        article("a", edition=" 3", seen=hour(5)),
        event("gone", "a", seen=hour(6)),
    )
    assert gone(tmp_path) == [hour(6)]
    assert gone(tmp_path, every=True) == [hour(1), None, hour(6)]
    assert gone(tmp_path, at=hour(3)) == [hour(3)]
