"""Export: each article's newest record as a line of JSON, in exactly the seed's shape.

Keys in the seed's order, spaced as it is, characters as they are, times as it writes them; null
where nobody said.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import BinaryIO

from storage.archive import Archive
from storage.model import Record
from storage.times import format_seed


def export_jsonl(
    archive: Archive,
    out: BinaryIO,
    *,
    site: str | None = None,
    at: datetime | None = None,
    since: datetime | None = None,
    canonicals: bool = False,
    private: bool = False,
) -> int:
    """Write a line an article to ``out`` and return how many.

    ``at``: as of that moment of observation, inclusive; ``since``: only what was observed then or
    later; ``canonicals``: captured foreign originals too; ``private``: snapshots fetched with a
    private header too. Raises DamageFound, and OSError as ``out`` does.
    """
    count = 0
    for row in archive.newest_all(site, canonicals=canonicals, at=at, since=since):
        if row.private and not private:
            continue
        record = archive.manifest(row).record
        if record is not None:
            out.write(seed_line(record))
            count += 1
    return count


def seed_line(record: Record) -> bytes:
    """Return a record as the seed has it: one line of UTF-8 JSON with its line end."""
    return json.dumps(seed_shape(record), ensure_ascii=False).encode() + b"\n"


def seed_shape(record: Record) -> dict[str, object]:
    """Return a record's keys and values, in the seed's order and with times as it writes them."""
    return {
        "slug": record.slug,
        "title": record.title,
        "summary": record.summary,
        "body_md": record.body_md,
        "url": record.url,
        "canonical_source": record.canonical_source,
        "published_at": _moment(record.published_at),
        "updated_at": _moment(record.updated_at),
        "lang": record.lang,
        "topics": list(record.topics),
        "entities": list(record.entities),
        "alternates": dict(record.alternates),
    }


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else format_seed(moment)
