"""Rows of the index as values, and what their columns hold: what all who read it are given.

How a row follows from a manifest is deriving.py's. An index that somebody gave us may hold what it
likes: a row is checked before it is believed. Pure: no clock, no database, no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from storage.errors import IndexLies
from storage.index.packing import unpacked
from storage.model import ContentDigest, Finding
from storage.times import format_utc

#: A row out of a table, by column name, and one on its way in, in the order of COLUMNS: only the
#: index package makes them.
Row = dict[str, Any]
Values: TypeAlias = tuple[Any, ...]

#: The version of the tables, schema.py's, and of what stands in them.
SCHEMA_VERSION = 6


#: Hex digits of a digest in its mark: two texts of one article never share them by chance.
_MARK_DIGITS = 16
#: Characters of a list of formats that is remembered: nearly every snapshot has the same.
_COMMON_TEXT = 200
#: What moments are counted from in the index, and what in.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Place(Struct, frozen=True, kw_only=True, gc=False):
    """Where a group stands: ``segment`` relative to segments/, the rest in compressed bytes.

    ``id`` is the manifest's WARC-Record-ID, ``length`` the whole group's.
    """

    id: str
    segment: str
    offset: int
    length: int


class SnapshotRow(Struct, frozen=True, kw_only=True, gc=False):
    """One snapshot as the index knows it; ``gone_at`` is set where newest snapshots are listed.

    ``implicit`` marks a captured foreign canonical; ``length`` is the whole group's, ``head`` the
    manifest record's own, in compressed bytes.
    """

    id: str
    site: str
    slug: str
    url: str
    sequence: int
    updated_at: datetime
    unit: str
    source: str
    revision: int
    reason: str
    observed_at: datetime
    state: str
    formats: tuple[str, ...]
    missing: dict[str, str]
    findings: tuple[Finding, ...]
    title: str | None
    run: str
    implicit: bool
    private: bool
    segment: str
    offset: int
    length: int
    head: int
    gone_at: datetime | None = None

    def as_log(self) -> dict[str, object]:
        """Return the line of ``log --json`` and ``list --json``, in the contract's key order."""
        line: dict[str, object] = {
            "site": self.site,
            "slug": self.slug,
            "url": self.url,
            "updated_at": format_utc(self.updated_at),
            "revision": self.revision,
            "reason": self.reason,
            "observed_at": format_utc(self.observed_at),
            "state": self.state,
            "formats": list(self.formats),
            "missing": dict(self.missing),
            "findings": msgspec.json.decode(to_json(self.findings)) if self.findings else [],
            "title": self.title,
        }
        if self.gone_at is not None:
            line["gone_at"] = format_utc(self.gone_at)
        return line


class EventRow(Struct, frozen=True, kw_only=True, gc=False):
    """One event as the index knows it."""

    id: str
    site: str
    slug: str
    url: str
    sequence: int
    event: str
    observed_at: datetime
    detail: dict[str, str]
    run: str
    implicit: bool
    segment: str
    offset: int
    length: int
    head: int


def to_micros(moment: datetime) -> int:
    """Return an aware moment as whole microseconds since 1970-01-01T00:00:00Z."""
    return (moment - EPOCH) // MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment, in UTC, that ``to_micros`` made ``micros`` of."""
    return EPOCH + micros * MICROSECOND


def moment_or_none(micros: int | None) -> datetime | None:
    """Return the moment that ``micros`` stand for, if they do."""
    return None if micros is None else from_micros(micros)


def to_json(value: object) -> str:
    """JSON text for a column."""
    return msgspec.json.encode(value).decode()


def content_mark(source: str, content: ContentDigest) -> str:
    """Return the mark of a source's words: enough to find a snapshot by, not to trust."""
    return f" {source}:{content.digest[:_MARK_DIGITS]} "


@contextmanager
def values_of(table: str) -> Iterator[None]:
    """Raise IndexLies where what is made of a row of ``table`` finds no value of its column's."""
    try:
        yield
    except _NO_VALUE as error:
        raise IndexLies(table, str(error)) from error


def snapshot_row(row: Mapping[Any, Any], gone_at: datetime | None = None) -> SnapshotRow:
    """Return a row of the table ``snapshots`` as a value. Raises IndexLies."""
    return snapshot_of(_of_snapshot(row), gone_at)


def snapshot_of(values: Values, gone_at: datetime | None = None) -> SnapshotRow:
    """Return a row's values, in the order of SNAPSHOT, as one value. Raises IndexLies."""
    try:
        (
            site, slug, url, run, segment, unit, source, reason, state,
            sequence, offset, length, head, revision, updated_at, observed_at,
            record_id, formats, missing, findings, title, implicit, private,
        ) = values  # fmt: skip
        if list(map(type, values[: len(_SNAPSHOT_TYPES)])) != _SNAPSHOT_TYPES:
            _check_types(SNAPSHOT, values, _SNAPSHOT_TYPES)
        return SnapshotRow(
            id=unpacked(record_id), site=site, slug=slug, url=url, sequence=sequence, unit=unit,
            source=source, revision=revision, reason=reason, state=state, run=run, segment=segment,
            offset=offset, length=length, head=head,
            updated_at=EPOCH + updated_at * MICROSECOND,
            observed_at=EPOCH + observed_at * MICROSECOND,
            formats=_formats(formats),
            missing=_MISSING.decode(missing) if missing != "{}" else {},
            findings=_FINDINGS.decode(findings) if findings != "[]" else (),
            title=None if title is None else str(title),
            implicit=bool(implicit),
            private=bool(private),
            gone_at=gone_at,
        )  # fmt: skip
    except _NO_VALUE as error:
        raise IndexLies("snapshots", str(error)) from error


def event_row(row: Mapping[Any, Any]) -> EventRow:
    """Return a row of the table ``events`` as a value. Raises IndexLies."""
    with values_of("events"):
        values = _of_event(row)
        _check_types(_EVENT_PLAIN, values, _EVENT_TYPES)
        return EventRow(
            id=unpacked(row["id"]),
            **dict(zip(_EVENT_PLAIN, values, strict=True)),
            observed_at=from_micros(row["observed_at"]),
            detail=msgspec.json.decode(row["detail"], type=dict[str, str]),
            implicit=bool(row["implicit"]),
        )


def _check_types(names: Sequence[str], values: Values, types: Sequence[type]) -> None:
    # SQLite keeps any type in any column: an index that somebody gave us may hold what it likes.
    for name, value, kind in zip(names, values, types, strict=False):
        if type(value) is not kind:
            raise TypeError(f"{name} is {value!r:.80}")


_FORMATS = msgspec.json.Decoder(tuple[str, ...])
_MISSING = msgspec.json.Decoder(dict[str, str])
_FINDINGS = msgspec.json.Decoder(tuple[Finding, ...])


def _formats(text: object) -> tuple[str, ...]:
    if type(text) is not str:
        raise TypeError(f"formats is {text!r:.80}")
    return _few_formats(text) if len(text) <= _COMMON_TEXT else _FORMATS.decode(text)


_few_formats = lru_cache(maxsize=256)(_FORMATS.decode)

#: What Python and msgspec say of a value that is not of its column's kind.
_NO_VALUE = (TypeError, ValueError, OverflowError)


_TEXTS = ("site", "slug", "url", "run", "segment")
_NUMBERS = ("sequence", "offset", "length", "head")
#: The columns of a snapshot that readers are given: first those whose values are taken as they are,
#: texts and then numbers.
SNAPSHOT = (
    *(*_TEXTS, "unit", "source", "reason", "state"),
    *(*_NUMBERS, "revision", "updated_at", "observed_at"),
    *("id", "formats", "missing", "findings", "title", "implicit", "private"),
)
_SNAPSHOT_TYPES = [str] * 9 + [int] * 7
_of_snapshot = itemgetter(*SNAPSHOT)
_EVENT_PLAIN = (*_TEXTS, "event", *_NUMBERS)
_EVENT_TYPES = [str] * 6 + [int] * 4
_of_event = itemgetter(*_EVENT_PLAIN)
