"""Filling an index aside: what comes out is what group by group comes out, in any order."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from storage.index.columns import COLUMNS
from storage.index.deriving import Rows
from storage.index.filling import Filling
from storage.index.index import Batch, Index
from storage.reindex import rows_at
from storage.segments.opening import open_segments
from storage.segments.recovery import Group
from tests.storage.verify.mirrors import filled


def groups_of(root: Path) -> list[Rows]:
    segments = open_segments(root)
    return [
        rows_at(found, name)
        for name in segments.names()
        for found in segments.walk(name)
        if isinstance(found, Group)
    ]


def tables(index: Index) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row that follows from manifests, an article's number as its name."""
    named = {
        row["n"]: (row["site"], row["slug"])
        for row in index.ask("SELECT n, site, slug FROM articles")
    }
    found = {}
    for table, columns in COLUMNS.items():
        rows = index.ask(f"SELECT * FROM {table}")
        for row in rows:
            row["article"] = named.get(row.get("article", 0))
        found[table] = sorted(tuple(repr(row[name]) for name in columns) for row in rows)
    return found


@pytest.mark.parametrize("most", [1, 20, Filling.most_waiting])
@pytest.mark.parametrize("seed", range(3))
def test_a_filled_index_is_as_one_written_group_by_group(
    seed: int, most: int, tmp_path: Path
) -> None:
    groups = groups_of(filled(tmp_path / "m", segment_bytes=6_000))
    random.Random(seed).shuffle(groups)
    one, other = Index.empty(tmp_path), Filling.empty(tmp_path)
    other.most_waiting = most
    for start in range(0, len(groups), 4):
        batch = Batch(rows=tuple(groups[start : start + 4]))
        one.apply(batch)
        other.apply(batch)
    other.write()
    assert tables(other) == tables(one)
    one.close()
    other.close()
