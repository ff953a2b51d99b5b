"""An index's tests' own pieces: rows of one draft, a reader that closes, a row as its columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.files import Names
from storage.groups import Builder
from storage.index.columns import COLUMNS
from storage.index.deriving import Rows, rows_of
from storage.index.index import Index
from storage.index.reader import Reader
from storage.index.rows import Place, Row
from storage.model import Manifest
from tests.storage.drafts import article

HERE = "news.example/s-1.warc.gz"
PLACE = Place(id="urn:uuid:1", segment=HERE, offset=100, length=10_000)


def rows(slug: str = "story", sequence_of: str = "") -> Rows:
    group = Builder({}, Names()).build(article(slug))
    place = Place(id=group.id + sequence_of, segment=HERE, offset=0, length=len(group.blob))
    return rows_of(group.manifest, place)


def count(index: Index) -> int:
    return len(index.ask("SELECT slug FROM snapshots"))


@contextmanager
def asking(root: Path) -> Iterator[Reader]:
    index = Reader.to_read(root)
    try:
        yield index
    finally:
        index.close()


def built(**changes: Any) -> Manifest:
    return Builder({}, Names()).build(article(**changes)).manifest


def snapshot_of(manifest: Manifest) -> Row:
    values = rows_of(manifest, PLACE).snapshot
    assert values is not None
    return dict(zip(COLUMNS["snapshots"], values, strict=True))
