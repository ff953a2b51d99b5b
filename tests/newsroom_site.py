"""Write the demo's newsroom as static files, for nginx or any other server. Deterministic.

    python -m tests.newsroom_site OUT --articles 2000 --base http://127.0.0.1:8080

OUT/site/           the web root; articles as news/SLUG, .md, .txt, .jsonld, each with a .gz twin
OUT/records.jsonl   each article's record: the seed's keys in its order, times written as it writes
OUT/manifest.tsv    path, SHA-256 of the bytes, updated_at (RFC 3339): one line a representation
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from crawler.demo.newsroom import Newsroom
from storage.model import Record
from storage.times import format_seed, format_utc

#: zlib's level for the twins: the size hardly matters here, the seconds do.
LEVEL = 1


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A newsroom on disk, and where its parts are."""

    newsroom: Newsroom
    root: Path
    records: Path
    manifest: Path


class Line(msgspec.Struct, frozen=True):
    """One line of the manifest."""

    path: str
    sha256: str
    updated_at: str


def write_site(
    into: Path, *, articles: int, base: str, seed: int = 1, sources: str = ""
) -> Written:
    """Write a newsroom of ``articles`` stories at the origin ``base`` into the folder ``into``."""
    return write_newsroom(into, Newsroom.create(base, articles, seed=seed, sources=sources))


def write_newsroom(into: Path, newsroom: Newsroom) -> Written:
    """Write ``newsroom`` into ``into``; what was there of an earlier edition is brought up to date.

    Files whose bytes stay keep their time, files that are no longer published go.
    """
    root = into / "site"
    published = {_file_of(path) for path in newsroom.paths()}
    stale = _files(root) - published - {f"{name}.gz" for name in published}
    for name in stale:
        (root / name).unlink()
    lines = [line for path in newsroom.paths() if (line := _write_page(root, newsroom, path))]
    records, manifest = into / "records.jsonl", into / "manifest.tsv"
    records.write_bytes(b"".join(seed_json(record) + b"\n" for record in newsroom.records))
    manifest.write_text("".join(f"{o.path}\t{o.sha256}\t{o.updated_at}\n" for o in lines), "utf-8")
    return Written(newsroom=newsroom, root=root, records=records, manifest=manifest)


def read_manifest(path: Path) -> list[Line]:
    """Read a manifest.tsv back."""
    return [Line(*line.split("\t")) for line in path.read_text("utf-8").splitlines()]


def seed_json(record: Record) -> bytes:
    """Write ``record`` as the seed is written: its keys in its order, its way with times."""
    values: dict[str, Any] = msgspec.structs.asdict(record)
    for name, value in values.items():
        if isinstance(value, datetime):
            values[name] = format_seed(value)
    return msgspec.json.encode(values)


def _write_page(root: Path, newsroom: Newsroom, path: str) -> Line | None:
    page = newsroom.page(path)
    file = root / _file_of(path)
    _write(file, page.body, page.modified_at)
    if not path.startswith("/news/") or path.endswith("/") or page.modified_at is None:
        return None
    _write(file.with_name(f"{file.name}.gz"), _zipped(page.body), page.modified_at)
    digest = hashlib.sha256(page.body).hexdigest()
    return Line(path, digest, format_utc(page.modified_at))


def _zipped(body: bytes) -> bytes:
    return gzip.compress(body, LEVEL, mtime=0)


def _write(file: Path, body: bytes, at: datetime | None) -> None:
    if file.exists() and file.read_bytes() == body:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
    if at is not None:
        # Last-Modified and nginx's ETag follow the publisher's date, as on a real static site
        os.utime(file, (at.timestamp(), at.timestamp()))


def _file_of(path: str) -> str:
    name = unquote(path.removeprefix("/"))
    return f"{name}index.html" if name == "" or name.endswith("/") else name


def _files(root: Path) -> set[str]:
    return {file.relative_to(root).as_posix() for file in root.rglob("*") if file.is_file()}


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--base", default="http://127.0.0.1:8080")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sources", default="", help="origin of the canonical sources")
    asked = parser.parse_args()
    write_site(
        asked.out, articles=asked.articles, base=asked.base, seed=asked.seed, sources=asked.sources
    )


if __name__ == "__main__":
    _main()
