"""What a run learned beside snapshots: as it rides along with a batch, and as it waits spooled.

Where a batch waits to be visible its notes wait too, beside its groups: a run that is killed then
does not ask again for what it stored. Each stands in a file with its length and CRC-32 before it;
what a crash tore is left out, for notes are no truth. Blocking.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from struct import Struct as Layout
from zlib import crc32

import msgspec
from msgspec import Struct, structs

from storage.errors import os_errors
from storage.index.deriving import Rows, validator_values
from storage.index.index import Batch
from storage.index.packing import mark_of, packed
from storage.index.rows import Row, Values, to_micros
from storage.layout import SPOOL, sync_folder
from storage.model import EntryState, Validator

_NAME, _ASIDE = "notes", "notes.sent"
_FRAME = Layout("<II")


class Notes(Struct, frozen=True, kw_only=True):
    """What rides along with a batch: what a run learned.

    ``memory`` is (site, key, value).
    """

    at: datetime
    entries: tuple[EntryState, ...] = ()
    validators: tuple[Validator, ...] = ()
    memory: tuple[tuple[str, str, str], ...] = ()


def batch_of(
    notes: Notes, rows: Sequence[Rows] = (), ends: Mapping[str, int] | None = None
) -> Batch:
    """Return what one transaction adds: ``rows`` of groups, segments' new ends by name, notes."""
    return Batch(
        rows=tuple(rows),
        segments={name: (name.partition("/")[0], end) for name, end in (ends or {}).items()},
        entries=tuple(_entry_row(entry) for entry in notes.entries),
        validators=_validator_rows(notes, rows),
        memory=tuple(
            {"site": site, "key": key, "value": value} for site, key, value in notes.memory
        ),
    )


class SpooledNotes:
    """The notes that wait in the mirror at ``root``. Holds no open file."""

    def __init__(self, root: Path) -> None:
        self._path = root / SPOOL / _NAME
        self._aside = root / SPOOL / _ASIDE

    def keep(self, notes: Notes) -> None:
        """Add notes, durably. Raises ReadOnly, DiskFull, StoreFailed."""
        data = msgspec.msgpack.encode(notes)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with os_errors(f"writing {self._path}"):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            is_new = not self._path.exists()
            with os.fdopen(os.open(self._path, flags, 0o644), "wb") as file:
                file.write(_FRAME.pack(len(data), crc32(data)) + data)
                file.flush()
                os.fsync(file.fileno())
            if is_new:
                sync_folder(self._path.parent)

    def read(self) -> Iterator[Notes]:
        """Give the notes in order, of each file up to what is torn."""
        for path in (self._aside, self._path):
            with os_errors(f"reading {path}"):
                data = memoryview(path.read_bytes() if path.is_file() else b"")
            yield from _notes_in(data)

    def set_aside(self) -> None:
        """Have those so far wait apart, for what they are about is on its way."""
        with os_errors(f"moving {self._path}"):
            if self._path.exists():
                self._path.replace(self._aside)
                sync_folder(self._path.parent)

    def clear_aside(self) -> None:
        """Keep those no more that were set aside: they are in the index."""
        with os_errors(f"removing {self._aside}"):
            self._aside.unlink(missing_ok=True)

    def clear(self) -> None:
        """Keep none any more: they are in the index."""
        self.clear_aside()
        with os_errors(f"removing {self._path}"):
            self._path.unlink(missing_ok=True)


def _notes_in(data: memoryview) -> Iterator[Notes]:
    while len(data) >= _FRAME.size:
        length, crc = _FRAME.unpack_from(data)
        one = data[_FRAME.size : _FRAME.size + length]
        data = data[_FRAME.size + length :]
        if len(one) != length or crc32(one) != crc:
            return
        try:
            yield msgspec.msgpack.decode(one, type=Notes)
        except msgspec.DecodeError:
            return  # another slugline's


def _entry_row(entry: EntryState) -> Row:
    verified = entry.verified_at
    return {
        **structs.asdict(entry),
        "checked_at": to_micros(entry.checked_at),
        "verified_at": None if verified is None else to_micros(verified),
    }


def _validator_rows(notes: Notes, rows: Sequence[Rows]) -> tuple[Values, ...]:
    """Return those of a run's validators that no manifest of the batch says as well."""
    told = {values[:-1] for one in rows for values in one.validators}
    at = to_micros(notes.at)
    noted = (
        validator_values(mark_of(one.url), one.etag, one.last_modified, packed(one.digest), at)
        for one in notes.validators
    )
    return tuple([values for values in noted if values[:-1] not in told])
