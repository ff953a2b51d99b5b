"""Export jsonl: the seed's shape, key order and way of writing times."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.archive import Archive
from storage.export.choosing import Chosen
from storage.export.jsonl import export_jsonl, seed_line
from storage.model import Record
from tests.storage.drafts import UPDATED, article, hour, stored

KEYS = [
    "slug",
    "title",
    "summary",
    "body_md",
    "url",
    "canonical_source",
    "published_at",
    "updated_at",
    "lang",
    "topics",
    "entities",
    "alternates",
]


def exported(root: Path, **wanted: Any) -> list[dict[str, Any]]:
    out = io.BytesIO()
    with Archive.open(root) as archive:
        count = export_jsonl(archive, out, Chosen(**wanted))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert count == len(lines)
    return lines


def test_a_record_is_written_as_the_seed_writes_it() -> None:
    record = Record(
        slug="story",
        title="Ein schöner Tag",
        url="https://news.example/story",
        published_at=datetime(2026, 6, 19, 8, 9, 44, tzinfo=UTC),
        updated_at=UPDATED,
        topics=("ai",),
        alternates={"html": "https://news.example/story"},
    )
    assert seed_line(record).decode() == (
        '{"slug": "story", "title": "Ein schöner Tag", "summary": null, "body_md": null, '
        '"url": "https://news.example/story", "canonical_source": null, '
        '"published_at": "2026-06-19 08:09:44+00:00", '
        '"updated_at": "2026-06-19 09:13:50.166750+00:00", "lang": null, "topics": ["ai"], '
        '"entities": [], "alternates": {"html": "https://news.example/story"}}\n'
    )


def test_each_articles_newest_record_is_a_line(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("b"),
        article("a", seen=hour(0)),
        article("a", edition=" 2", seen=hour(2), updated=hour(1)),
    )
    lines = exported(tmp_path)
    assert [list(line) for line in lines] == [KEYS, KEYS]
    assert [(line["slug"], line["updated_at"]) for line in lines] == [
        ("a", "2026-06-20 13:00:00+00:00"),
        ("b", "2026-06-19 09:13:50.166750+00:00"),
    ]
    assert [line["updated_at"] for line in exported(tmp_path, at=hour(1))] == [
        "2026-06-19 09:13:50.166750+00:00"
    ] * 2
    assert [line["slug"] for line in exported(tmp_path, since=hour(1))] == ["a"]


def test_private_and_foreign_articles_are_left_out_unless_asked(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("open"),
        article("behind-a-login", private=True),
        article("original", site="source.example", implicit=True),
    )
    assert [line["slug"] for line in exported(tmp_path)] == ["open"]
    asked = exported(tmp_path, private=True, canonicals=True)
    assert [line["slug"] for line in asked] == ["behind-a-login", "open", "original"]
    assert exported(tmp_path, site="nowhere") == []
