"""Export: a record a line of JSON, in exactly the seed's shape, or a whole snapshot a line.

Keys in the seed's order, spaced as it is, characters as they are, times as it writes them; null
where nobody said. A full line has the same keys first.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import BinaryIO

from storage.archive import Archive
from storage.export.choosing import EVERYTHING, Chosen, taken
from storage.export.table import SEED, further_fields, seed_fields
from storage.model import Record
from storage.times import format_seed


def export_jsonl(
    archive: Archive, out: BinaryIO, chosen: Chosen = EVERYTHING, *, full: bool = False
) -> int:
    """Write a line a snapshot chosen to ``out`` and return how many.

    ``full``: after the record's keys, those of table.further_fields. A snapshot without a record
    has only a full line. Raises DamageFound, and OSError as ``out`` does.
    """
    count = 0
    for one in taken(archive, chosen):
        if full:
            out.write(_line(seed_fields(one) | further_fields(one)))
        elif one.manifest.record is not None:
            out.write(seed_line(one.manifest.record))
        else:
            continue
        count += 1
    return count


def seed_line(record: Record) -> bytes:
    """Return a record as the seed has it: one line of UTF-8 JSON with its line end."""
    return _line({name: getattr(record, name) for name in SEED})


def _line(values: dict[str, object]) -> bytes:
    return json.dumps(values, ensure_ascii=False, default=_moment).encode() + b"\n"


def _moment(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"no line holds {value!r}")
    return format_seed(value)
