"""From a manifest to the rows that stand for it: one pure function, for commit and reindex alike.

Whatever a reading command shows must come out of here, so that an index made again from the
segments says the same, line for line. No clock, no database, no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from storage.errors import IndexLies
from storage.files import folded_paths, is_file_name
from storage.model import ContentDigest, Finding, Manifest
from storage.times import format_utc

#: A row on its way into a table or out of it, by column name: only the index package makes them.
Row = dict[str, Any]

#: The version of the tables, schema.py's, and of what stands in them.
SCHEMA_VERSION = 5

#: Hex digits of a digest in its mark: two texts of one article never share them by chance.
_MARK_DIGITS = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Place(Struct, frozen=True, kw_only=True):
    """Where a group stands: ``segment`` relative to segments/, the rest in compressed bytes.

    ``id`` is the manifest's WARC-Record-ID, ``length`` the whole group's.
    """

    id: str
    segment: str
    offset: int
    length: int


class Rows(Struct, frozen=True, kw_only=True):
    """The rows of one manifest, by table."""

    site: Row
    article: Row
    snapshot: Row | None
    event: Row | None
    representations: tuple[Row, ...]
    files: tuple[Row, ...]
    names: tuple[Row, ...]
    validators: tuple[Row, ...]


class SnapshotRow(Struct, frozen=True, kw_only=True):
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
            "findings": msgspec.json.decode(msgspec.json.encode(self.findings)),
            "title": self.title,
        }
        if self.gone_at is not None:
            line["gone_at"] = format_utc(self.gone_at)
        return line


class EventRow(Struct, frozen=True, kw_only=True):
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
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the moment, in UTC, that ``to_micros`` made ``micros`` of."""
    return _EPOCH + micros * _MICROSECOND


def moment_or_none(micros: int | None) -> datetime | None:
    """Return the moment that ``micros`` stand for, if they do."""
    return None if micros is None else from_micros(micros)


def to_json(value: object) -> str:
    """JSON text for a column."""
    return msgspec.json.encode(value).decode()


def rows_of(manifest: Manifest, place: Place) -> Rows:
    """Every row that follows from one manifest at its place; pure.

    Raises ValueError for a snapshot without a key or reason: nothing that the writer stores.
    """
    snapshot = manifest.kind == "snapshot"
    return Rows(
        site={"name": manifest.site, "scope": manifest.scope, "implicit": manifest.implicit},
        article=_article(manifest),
        snapshot=_snapshot(manifest, place) if snapshot else None,
        event=None if snapshot else _event(manifest, place),
        representations=tuple(_representations(manifest, place)),
        files=tuple(_files(manifest)),
        names=tuple(_names(manifest)),
        validators=tuple(_validators(manifest)),
    )


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
    with values_of("snapshots"):
        return SnapshotRow(
            **_plain(row, _SNAPSHOT_TEXTS, _SNAPSHOT_NUMBERS),
            updated_at=from_micros(row["updated_at"]),
            observed_at=from_micros(row["observed_at"]),
            formats=msgspec.json.decode(row["formats"], type=tuple[str, ...]),
            missing=msgspec.json.decode(row["missing"], type=dict[str, str]),
            findings=msgspec.json.decode(row["findings"], type=tuple[Finding, ...]),
            title=None if row["title"] is None else str(row["title"]),
            implicit=bool(row["implicit"]),
            private=bool(row["private"]),
            gone_at=gone_at,
        )


def event_row(row: Mapping[Any, Any]) -> EventRow:
    """Return a row of the table ``events`` as a value. Raises IndexLies."""
    with values_of("events"):
        return EventRow(
            **_plain(row, _EVENT_TEXTS, _EVENT_NUMBERS),
            observed_at=from_micros(row["observed_at"]),
            detail=msgspec.json.decode(row["detail"], type=dict[str, str]),
            implicit=bool(row["implicit"]),
        )


def _plain(row: Mapping[Any, Any], texts: tuple[str, ...], numbers: tuple[str, ...]) -> Row:
    # SQLite keeps any type in any column: an index that somebody gave us may hold what it likes.
    for names, kind in ((texts, str), (numbers, int)):
        for name in names:
            if type(row[name]) is not kind:
                raise TypeError(f"{name} is {row[name]!r:.80}")
    return {name: row[name] for name in (*texts, *numbers)}


#: What Python and msgspec say of a value that is not of its column's kind.
_NO_VALUE = (TypeError, ValueError, OverflowError)


_COMMON_TEXTS = ("id", "site", "slug", "url", "run", "segment")
_COMMON_NUMBERS = ("sequence", "offset", "length", "head")
_SNAPSHOT_TEXTS = (*_COMMON_TEXTS, "unit", "source", "reason", "state")
_SNAPSHOT_NUMBERS = (*_COMMON_NUMBERS, "revision")
_EVENT_TEXTS = (*_COMMON_TEXTS, "event")
_EVENT_NUMBERS = _COMMON_NUMBERS


def _common(manifest: Manifest, place: Place) -> Row:
    return {
        "id": place.id,
        "site": manifest.site,
        "slug": manifest.slug,
        "sequence": manifest.sequence,
        "url": manifest.url,
        "observed_at": to_micros(manifest.observed_at),
        "run": manifest.run,
        "implicit": manifest.implicit,
        "segment": place.segment,
        "offset": place.offset,
        "length": place.length,
        "head": _head(manifest, place),
    }


def _head(manifest: Manifest, place: Place) -> int:
    return place.length - sum(record.length for record in manifest.records)


def _article(manifest: Manifest) -> Row:
    sequence = manifest.sequence
    snapshot = manifest.kind == "snapshot"
    return {
        "site": manifest.site,
        "slug": manifest.slug,
        "url": manifest.url,
        "last": sequence,
        "newest": sequence if snapshot else 0,
        "placed": sequence if snapshot or manifest.event == "moved" else 0,
    }


def _snapshot(manifest: Manifest, place: Place) -> Row:
    if manifest.key is None or manifest.reason is None:
        message = f"the snapshot {manifest.site}/{manifest.slug} has no key or no reason"
        raise ValueError(message)
    return _common(manifest, place) | {
        "updated_at": to_micros(manifest.key.updated_at),
        "unit": manifest.key.unit,
        "source": manifest.key.source,
        "revision": manifest.revision,
        "reason": manifest.reason,
        "state": manifest.state,
        "formats": to_json([r.format for r in manifest.representations]),
        "missing": to_json(manifest.missing),
        "findings": to_json(manifest.findings),
        "title": manifest.record.title if manifest.record else None,
        "content": "".join(content_mark(*each) for each in sorted(manifest.content.items())),
        "private": manifest.private,
    }


def _event(manifest: Manifest, place: Place) -> Row:
    return _common(manifest, place) | {
        "event": manifest.event or "",
        "detail": to_json(manifest.detail),
    }


def _representations(manifest: Manifest, place: Place) -> Iterator[Row]:
    if manifest.kind != "snapshot":
        return
    places: dict[str, tuple[int, int]] = {}
    at = place.offset + _head(manifest, place)
    for record in manifest.records:
        places[record.id] = (at, record.length)
        at += record.length
    for one in manifest.representations:
        offset, length = places.get(one.record_id, (0, 0))
        yield {
            "site": manifest.site,
            "slug": manifest.slug,
            "sequence": manifest.sequence,
            "format": one.format,
            "url": one.url,
            "final_url": one.final_url,
            "digest": one.digest,
            "size": one.length,
            "fetched_at": to_micros(one.fetched_at),
            "content_encoding": one.content_encoding,
            "payload_digest": one.payload_digest,
            "record_id": one.record_id,
            "target_id": one.target_id,
            "file": one.file,
            "segment": place.segment,
            "offset": offset,
            "length": length,
        }


def _files(manifest: Manifest) -> Iterator[Row]:
    for one in manifest.representations:
        if manifest.kind == "snapshot" and is_file_name(one.file):
            file, *folders = folded_paths(one.file)
            yield {"folded": file, "file": one.file, "url": one.url, "format": one.format}
            for folder in folders:
                yield {"folded": folder, "file": "", "url": "", "format": ""}


def _names(manifest: Manifest) -> Iterator[Row]:
    urls = {manifest.url, *manifest.aliases}
    slugs = set()
    if manifest.event in {"moved", "alias"}:
        urls |= {manifest.detail[end] for end in ("from", "to", "url") if end in manifest.detail}
        slugs = {manifest.detail["slug"]} if "slug" in manifest.detail else set()
    for name in sorted(urls | slugs):
        yield {
            "site": manifest.site,
            "name": name,
            "slug": manifest.slug,
            "is_url": name in urls,
            "seen_at": to_micros(manifest.observed_at),
        }


def _validators(manifest: Manifest) -> Iterator[Row]:
    for one in manifest.representations:
        if one.record_id and (one.etag or one.last_modified):
            yield {
                "url": one.url,
                "etag": one.etag,
                "last_modified": one.last_modified,
                "digest": one.digest,
                "seen_at": to_micros(one.fetched_at),
            }
