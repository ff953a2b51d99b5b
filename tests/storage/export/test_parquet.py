"""Export parquet: what DuckDB reads out of it is what the archive holds."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyarrow.parquet import ParquetFile

from storage.archive import Archive
from storage.errors import MissingExtra
from storage.export.choosing import Chosen
from storage.export.jsonl import export_jsonl
from storage.export.parquet import GROUP_TEXT, export_parquet
from storage.index.rows import to_micros
from storage.model import ContentDigest, Finding
from tests.storage.drafts import SITE, UPDATED, article, event, hour, stored
from tests.storage.export.test_choosing import about


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    told: dict[str, Any] = {
        "usage": {"html: x-robots-tag": "noai"},
        "findings": (Finding(kind="date-only", detail="no edit", formats=("html",)),),
        "content": {"html": ContentDigest(digest="ab" * 32, extractor="t/1")},
        "particulars": {"pages": 12},
    }
    facts = {
        "topics": ("ai", "ö"),
        "body_md": "Words.\n",
        "lang": "en",
        "alternates": {"html": "x"},
    }
    stored(
        tmp_path / "m",
        about(article("a", **told), **facts),
        article("a", edition=" 2", seen=hour(2), reason="silent-edit"),
        article("b"),
        event("gone", "b", seen=hour(3)),
    )
    return tmp_path / "m"


def exported(root: Path, to: Path, **wanted: Any) -> int:
    with Archive.open(root) as archive, to.open("wb") as out:
        return export_parquet(archive, out, Chosen(**wanted))


def asked(question: str, file: Path) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(question.format(f"read_parquet('{file}')")).fetchall()


def test_duckdb_reads_every_snapshot(mirror: Path, tmp_path: Path) -> None:
    file = tmp_path / "all.parquet"
    assert exported(mirror, file, every=True) == 3
    rows = asked(
        "SELECT slug, sequence, revision, reason, site, epoch_us(key_updated_at), "
        "epoch_us(observed_at), epoch_us(gone_at) FROM {} ORDER BY slug, sequence",
        file,
    )
    key, *seen = map(to_micros, (UPDATED, hour(0), hour(2), hour(3)))
    assert rows == [
        ("a", 1, 0, "first", SITE, key, seen[0], None),
        ("a", 2, 1, "silent-edit", SITE, key, seen[1], None),
        ("b", 1, 0, "first", SITE, key, seen[0], seen[2]),
    ]
    (first,) = asked(
        "SELECT body_md, lang, topics, alternates['html'], usage['html: x-robots-tag'], reserved, "
        "findings[1].kind, content[1].digest, len(formats), "
        "formats[1].particulars[1].name, formats[1].particulars[1].value, formats[1].digest "
        "FROM {} WHERE slug = 'a' AND sequence = 1",
        file,
    )
    assert first[:-1] == (
        "Words.\n", "en", ["ai", "ö"], "x", "noai", ["html: x-robots-tag noai"],
        "date-only", "ab" * 32, 2, "pages", "12",
    )  # fmt: skip
    assert len(first[-1]) == 64


def test_the_seeds_fields_come_first_and_in_its_order(mirror: Path, tmp_path: Path) -> None:
    file = tmp_path / "newest.parquet"
    assert exported(mirror, file) == 2
    out = io.BytesIO()
    with Archive.open(mirror) as archive:
        export_jsonl(archive, out, full=True)
    with duckdb.connect() as connection:
        lines = tmp_path / "newest.jsonl"
        lines.write_bytes(out.getvalue())
        columns = connection.read_parquet(str(file)).columns
        same = "slug, epoch_us(key_updated_at::TIMESTAMPTZ), id"
        ours = connection.read_parquet(str(file)).project(same).fetchall()
        theirs = connection.read_json(str(lines)).project(same).fetchall()
    assert columns[:12] == [
        "slug", "title", "summary", "body_md", "url", "canonical_source", "published_at",
        "updated_at", "lang", "topics", "entities", "alternates",
    ]  # fmt: skip
    assert ours == theirs


def test_rows_are_written_in_groups_of_so_much_text(tmp_path: Path) -> None:
    text = {"body_md": "x" * (GROUP_TEXT // 2)}
    stored(tmp_path / "m", *(about(article(f"a{n}"), **text) for n in range(3)), files=False)
    file = tmp_path / "groups.parquet"
    exported(tmp_path / "m", file)
    assert asked("SELECT count(*) FROM {}", file) == [(3,)]
    assert ParquetFile(file).num_row_groups == 2


def test_an_archive_without_articles_gives_a_table_without_rows(tmp_path: Path) -> None:
    Archive.create(tmp_path / "m").close()
    assert exported(tmp_path / "m", tmp_path / "none.parquet") == 0
    assert asked("SELECT slug, formats FROM {}", tmp_path / "none.parquet") == []


def test_without_pyarrow_a_sentence_says_what_to_install(
    mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with Archive.open(mirror) as archive, pytest.raises(MissingExtra) as told:
        export_parquet(archive, io.BytesIO())
    assert "pip install 'slugline[parquet]'" in str(told.value)
