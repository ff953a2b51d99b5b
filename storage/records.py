"""Stored records, read by the place that the index gives: manifests and bodies.

Whatever does not read as the index says is damage, and said as that.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from storage.errors import DamageFound
from storage.index.index import Index
from storage.index.queries import record_place
from storage.index.rows import EventRow, SnapshotRow
from storage.layout import SEGMENTS
from storage.manifest import ManifestError, decode
from storage.model import Manifest
from storage.segments.source import Source
from storage.warc_read import Parsed, RecordError, read_member

#: Segment files kept open at once: far below any system's limit, more than one reading needs.
_OPEN = 32


class Records:
    """The reader of a mirror's segments. State: the files that are open, least used first."""

    def __init__(self, root: Path, index: Index) -> None:
        """``root`` is the mirror's folder, ``index`` tells where a record stands."""
        self._folder = root / SEGMENTS
        self._index = index
        self._open: OrderedDict[str, Source] = OrderedDict()

    def close(self) -> None:
        """Close every file."""
        while self._open:
            _close(self._open.popitem()[1])

    def manifest(self, row: SnapshotRow | EventRow) -> Manifest:
        """Return the manifest that a row stands for. Raises DamageFound where it is not there."""
        parsed = self._read(row.segment, row.offset, row.head)
        try:
            manifest = decode(parsed.body)
        except ManifestError as error:
            raise DamageFound(f"{row.segment} at byte {row.offset}", str(error)) from error
        if parsed.head.id != row.id:
            raise DamageFound(f"{row.segment} at byte {row.offset}", f"it holds {parsed.head.id}")
        return manifest

    def answer(self, record_id: str) -> Parsed:
        """Return the record that holds a body. Raises DamageFound where it is not there."""
        place = record_place(self._index, record_id)
        if place is None:
            raise DamageFound("the index", f"record {record_id} is referred to and not there")
        segment, offset, length = place
        parsed = self._read(segment, offset, length)
        if parsed.head.id != record_id:
            raise DamageFound(f"{segment} at byte {offset}", f"it holds {parsed.head.id}")
        return parsed

    def body(self, record_id: str) -> bytes:
        """Return a record's stored body, as received."""
        return self.answer(record_id).body

    def _read(self, segment: str, offset: int, length: int) -> Parsed:
        source = self._source(segment, offset + length)
        try:
            return read_member(source.read(offset, length))
        except RecordError as error:
            raise DamageFound(f"{segment} at byte {offset}", str(error)) from error

    def _source(self, segment: str, end: int) -> Source:
        source = self._open.pop(segment, None)
        # A file that a writer has added to since it was opened is opened again.
        if source is not None and end > source.size:
            _close(source)
            source = None
        if source is None:
            path = self._folder / segment
            if not path.is_file():
                raise DamageFound(segment, "the file is not there")
            source = Source(path, segment)
        self._open[segment] = source
        if len(self._open) > _OPEN:
            _close(self._open.popitem(last=False)[1])
        return source


def _close(source: Source) -> None:
    source.__exit__(None, None, None)
