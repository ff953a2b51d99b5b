"""Stored records, read by the place that the index gives: manifests and bodies.

Whatever does not read as the index says is damage, and said as that: digests are computed each
time, for what a reader is shown must be what was written.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

from storage.body_text import put_back
from storage.codings import decode as undone
from storage.errors import DamageFound, IndexLies
from storage.index.queries import record_place
from storage.index.reader import Reader
from storage.index.rows import EventRow, SnapshotRow
from storage.manifest import decode
from storage.model import Manifest
from storage.segments.names import place_of
from storage.segments.opening import open_segments
from storage.segments.source import Source
from storage.warc import most_of
from storage.warc_read import Parsed, RecordError, read_member

#: Segment files kept open at once: far below any system's limit, more than one reading needs.
_OPEN = 32
#: From a reader's place the two look the same.
_OR_INDEX = "or the index is wrong: `slugline verify` tells"


class Records:
    """The reader of a mirror's segments. State: the files that are open, least used first."""

    def __init__(self, root: Path, index: Reader) -> None:
        """``root`` is the mirror's folder, ``index`` tells where a record stands."""
        self._segments = open_segments(root)
        self._index = index
        self._open: OrderedDict[str, Source] = OrderedDict()

    def close(self) -> None:
        """Close every file, and hold no byte."""
        while self._open:
            self._open.popitem()[1].close()
        self._segments.close()

    def manifest(self, row: SnapshotRow | EventRow, *, text: bool = True) -> Manifest:
        """Return the manifest that a row stands for, its record with the text.

        Without ``text`` only the manifest's own record is read, and the text is as it has it: what
        is asked for something else does not fail with the bytes that the text stands in. Raises
        DamageFound where it, or these bytes, are not there.
        """
        parsed = self._read(row.segment, row.offset, row.head, row.id)
        try:
            manifest = decode(parsed.body)
            if not text or manifest.body_in is None:
                return manifest
            return self._with_text(manifest, row)
        except ValueError as error:
            raise DamageFound(place_of(row.segment, row.offset), str(error)) from error

    def _with_text(self, manifest: Manifest, row: SnapshotRow | EventRow) -> Manifest:
        """Put the text back into a manifest. Raises ValueError, DamageFound."""
        place = manifest.body_in
        one = manifest.representation(place.format) if place else None
        at = row.offset + row.head
        for ref in manifest.records:
            if one is not None and ref.id == one.record_id and ref.type == "response":
                answer = self._read(row.segment, at, ref.length, ref.id)
                most = min(one.length, most_of(len(answer.body)))
                return put_back(manifest, undone(answer.body, one.content_encoding, most))
            at += ref.length
        raise ValueError("its text is in none of its records")

    def group(self, row: SnapshotRow | EventRow) -> bytes:
        """Return a group's bytes as they stand. Raises DamageFound where they are not all there."""
        return self.stored(row.segment, row.offset, row.length)

    def stored(self, segment: str, offset: int, length: int) -> bytes:
        """Return a segment's bytes as they stand. Raises DamageFound where they are not there."""
        return self._source(segment, offset + length).read(offset, length)

    def answer(self, record_id: str) -> Parsed:
        """Return the record that holds a body. Raises DamageFound where it is not there."""
        segment, offset, length = self._place(record_id)
        return self._read(segment, offset, length, record_id)

    def body(self, record_id: str) -> bytes:
        """Return a record's stored body, as received."""
        return self.answer(record_id).body

    def where(self, record_id: str) -> str:
        """Tell a person where a record stands."""
        segment, offset, _ = self._place(record_id)
        return place_of(segment, offset)

    def _place(self, record_id: str) -> tuple[str, int, int]:
        place = record_place(self._index, record_id)
        if place is None:
            raise DamageFound("the index", f"record {record_id} is referred to and not there")
        if type(place[0]) is not str or {type(place[1]), type(place[2])} != {int}:
            raise IndexLies("representations", f"a record at {place!r:.120}")
        return place

    def _read(self, segment: str, offset: int, length: int, record_id: str) -> Parsed:
        where = place_of(segment, offset)
        try:
            parsed = read_member(self.stored(segment, offset, length), verify=True)
        except RecordError as error:
            raise DamageFound(where, f"{error} ({_OR_INDEX})") from error
        if parsed.head.id != record_id:
            raise DamageFound(where, f"it holds {parsed.head.id} ({_OR_INDEX})")
        return parsed

    def _source(self, segment: str, end: int) -> Source:
        source = self._open.pop(segment, None)
        # A file that a writer has added to since it was opened is opened again.
        if source is not None and end > source.size:
            source.close()
            source = None
        if source is None:
            try:
                source = self._segments.source(segment)
            except ValueError as error:
                raise IndexLies("segments", str(error)) from error
        self._open[segment] = source
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)[1].close()
        return source
