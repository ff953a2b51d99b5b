"""Drafts of a small made-up newsroom, and a short way to have them stored."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from gzip import compress
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

from msgspec import structs

from storage import layout
from storage.archive import Archive
from storage.errors import BadDraft
from storage.model import (
    Draft,
    EventKind,
    Key,
    Manifest,
    Payload,
    Reason,
    Record,
    Representation,
)
from storage.notes import Notes
from storage.segments.appending import SEGMENT_BYTES
from storage.segments.bucket import BucketSegments
from storage.segments.opening import open_segments
from storage.store import Store
from tests.storage.indexes import kept

SITE = "news.example"
SCOPE = "https://news.example/"
UPDATED = datetime(2026, 6, 19, 9, 13, 50, 166750, tzinfo=UTC)
SEEN = datetime(2026, 6, 20, 12, tzinfo=UTC)
SUFFIXES = {"html": "", "markdown": ".md", "text": ".txt", "jsonld": ".jsonld"}
TYPES = {
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown",
    "text": "text/plain",
    "jsonld": "application/ld+json",
}


def hour(number: float) -> datetime:
    """Return the moment ``number`` hours after the first observation."""
    return SEEN + timedelta(hours=number)


def words(slug: str, name: str, edition: str) -> bytes:
    return f"{slug} as {name}{edition}\n".encode() + b"a line of news\n" * 5


def article(
    slug: str = "story",
    *,
    edition: str = "",
    seen: datetime = SEEN,
    updated: datetime = UPDATED,
    formats: Sequence[str] = ("html", "markdown"),
    coding: str = "",
    reason: Reason = "first",
    site: str = SITE,
    not_modified: Sequence[str] = (),
    particulars: Mapping[str, int | str] | None = None,
    **changes: Any,
) -> Draft:
    """Return a snapshot's draft; ``changes`` are fields of the manifest."""
    url = f"https://{site}/news/{slug}"
    representations = []
    payloads = []
    for name in formats:
        body = words(slug, name, edition)
        at = url + SUFFIXES[name]
        headers = [("Content-Type", TYPES[name])]
        headers += [("Content-Encoding", coding)] if coding else []
        stored = compress(body, mtime=0) if coding else body
        silent = name in not_modified
        payloads.append(
            Payload(
                role=name,
                url=at,
                status=304 if silent else 200,
                reason="Not Modified" if silent else "OK",
                headers=tuple(headers),
                body=b"" if silent else stored,
                fetched_at=seen,
                not_modified=silent,
            )
        )
        representations.append(
            Representation(
                format=name,
                url=at,
                final_url=at,
                status=200,
                media_type=TYPES[name],
                digest=sha256(body).hexdigest(),
                length=len(body),
                fetched_at=seen,
                etag=f'"{slug}{name}{edition}"',
                particulars=dict(particulars or {}),
            )
        )
    manifest = Manifest(
        site=site,
        scope=f"https://{site}/",
        slug=slug,
        url=url,
        observed_at=seen,
        run="a-run",
        key=Key(updated_at=updated, unit="microsecond", source="json"),
        reason=reason,
        record=Record(slug=slug, url=url, title=f"The {slug}", updated_at=updated),
        representations=tuple(representations),
    )
    return Draft(manifest=structs.replace(manifest, **changes), payloads=tuple(payloads))


def event(kind: EventKind, slug: str = "story", *, seen: datetime = SEEN, **changes: Any) -> Draft:
    """Return an event's draft with a 404 as its evidence."""
    url = f"https://{SITE}/news/{slug}"
    manifest = Manifest(
        kind="event",
        site=SITE,
        scope=SCOPE,
        slug=slug,
        url=url,
        observed_at=seen,
        run="a-run",
        event=kind,
    )
    evidence = Payload(role="evidence", url=url, status=404, reason="Not Found", fetched_at=seen)
    return Draft(manifest=structs.replace(manifest, **changes), payloads=(evidence,))


def open_store(
    root: Path, *, files: bool = True, now: datetime = SEEN, segment_bytes: int = SEGMENT_BYTES
) -> Store:
    return Store(root, files=files, segment_bytes=segment_bytes, now=now)


def keep(store: Store, *drafts: Draft) -> list[Manifest]:
    """Commit drafts in one batch and give the manifests; a bad one is raised."""
    done = store.commit(drafts, Notes(at=SEEN))
    store.write_files(done.bodies | store.publish())
    kept = []
    for outcome in done.outcomes:
        if isinstance(outcome, BadDraft):
            raise outcome
        kept.append(outcome)
    return kept


def stored(root: Path, *drafts: Draft, files: bool = True, now: datetime = SEEN) -> list[Manifest]:
    """Store drafts in one batch by a run of their own."""
    store = open_store(root, files=files, now=now)
    try:
        return keep(store, *drafts)
    finally:
        store.close()


class SegmentFile(Protocol):
    """A segment, for tests that look at its bytes or harm them: a Path, or an object."""

    @property
    def name(self) -> str: ...

    def read_bytes(self) -> bytes: ...

    def write_bytes(self, data: bytes | bytearray, /) -> int: ...

    def unlink(self) -> None: ...


class StoredObject:
    """A segment that is an object."""

    def __init__(self, segments: BucketSegments, name: str) -> None:
        self._objects = segments.objects
        self.full_name = name
        self.name = name.rpartition("/")[2]

    def read_bytes(self) -> bytes:
        found = self._objects.get(self.full_name, 0, 1 << 40)
        assert found is not None
        return found[0]

    def write_bytes(self, data: bytes | bytearray) -> int:
        with NamedTemporaryFile() as file:
            Path(file.name).write_bytes(data)
            self._objects.replace(self.full_name, Path(file.name))
        return len(data)

    def unlink(self) -> None:
        self._objects.delete(self.full_name)


def segment_files(root: Path) -> list[Path]:
    """Return the segments in a mirror's folder."""
    return sorted((root / "segments").glob("*/*.warc.gz"))


def segments_of(root: Path) -> list[SegmentFile]:
    """Return a mirror's segments, wherever they are."""
    segments = open_segments(root)
    if isinstance(segments, BucketSegments):
        return [StoredObject(segments, name) for name in segments.names()]
    return list(segment_files(root))


def write_segment(root: Path, name: str, data: bytes) -> None:
    """Have a segment in a mirror that nobody stored there."""
    segments = open_segments(root)
    if isinstance(segments, BucketSegments):
        StoredObject(segments, name).write_bytes(data)
    else:
        path = root / "segments" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def copied(source: Path, root: Path) -> Path:
    """Copy a mirror with its index and its segments, wherever they are."""
    shutil.copytree(source, root)
    if (index := layout.check(source).index) is not None:
        database = index.partition("schema=")[0]
        there = layout.with_schema(database.rstrip("?&"), f"mirror_{token_hex(8)}")
        layout.move(structs.replace(layout.check(root), index=there))
        kept(source)(root)
    segments = open_segments(source)
    if isinstance(segments, BucketSegments):
        places = layout.check(root)
        layout.move(structs.replace(places, segments=f"{places.segments}-{token_hex(4)}"))
        copies = open_segments(root)
        assert isinstance(copies, BucketSegments)
        for name in segments.names():
            data = StoredObject(segments, name).read_bytes()
            StoredObject(copies, name).write_bytes(data)
    return root


def lines(root: Path) -> list[dict[str, object]]:
    """Return a mirror's history, as `log` tells it."""
    with Archive.open(root) as archive:
        return [row.as_log() for row in archive.all_history()]


def tree(root: Path) -> dict[str, bytes]:
    """Return every plain file of a mirror by its name."""
    folder = root / "files"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
