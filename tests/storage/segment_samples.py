"""Small groups and segments for the tests of storage's lower half."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage.model import Key, Manifest, Payload, Record
from storage.segments.appending import Appended
from storage.segments.local import LocalSegments
from storage.warc import (
    BuiltRecord,
    Target,
    build_group,
    build_response,
    build_revisit,
    new_record_id,
)

NOON = datetime(2026, 6, 19, 12, 0, 0, 250000, tzinfo=UTC)
SITE = "example.org"


def payload(role: str = "html", body: bytes = b"<p>words</p>", *, coded: bool = False) -> Payload:
    """Return an answer with ``body``, gzip-coded where ``coded``."""
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Transfer-Encoding", "chunked")]
    if coded:
        body = gzip.compress(body, mtime=0)
        headers.append(("Content-Encoding", "gzip"))
    return Payload(
        role=role,
        url=f"https://example.org/a.{role}",
        status=200,
        reason="OK",
        headers=tuple(headers),
        body=body,
        fetched_at=NOON,
    )


def manifest(slug: str = "a", sequence: int = 1) -> Manifest:
    """Return a snapshot's manifest, its records not named yet."""
    at = NOON + timedelta(days=sequence)
    return Manifest(
        site=SITE,
        scope="https://example.org/",
        slug=slug,
        url=f"https://example.org/{slug}",
        sequence=sequence,
        observed_at=at,
        run="20260619T120000Z",
        key=Key(updated_at=at, unit="microsecond", source="html"),
        reason="first",
        record=Record(slug=slug, url=f"https://example.org/{slug}", body_md="Words. " * 20),
    )


def group(sequence: int = 1, formats: int = 2, *, revisit: bool = False) -> bytes:
    """Return a group's bytes: ``formats`` responses, and a revisit of the first one."""
    head = new_record_id()
    records: list[BuiltRecord] = [
        build_response(
            payload(f"f{n}", f"words {n} of {sequence} ".encode() * 9, coded=n % 2 == 0),
            record_id=new_record_id(),
            concurrent_to=head,
        )
        for n in range(formats)
    ]
    if revisit:
        first = payload("f0", f"words 0 of {sequence} ".encode() * 9, coded=True)
        target = Target(
            id=records[0].id,
            url=first.url,
            date=first.fetched_at,
            payload_digest=records[0].payload_digest,
        )
        records.append(
            build_revisit(first, record_id=new_record_id(), concurrent_to=head, target=target)
        )
    return build_group(manifest(f"a{sequence}", sequence), record_id=head, records=records)[1]


def store(root: Path, *groups: bytes) -> tuple[LocalSegments, list[Appended]]:
    """Write the groups into one segment of a new mirror and sync it."""
    segments = LocalSegments(root)
    appender = segments.appender(started_at=NOON, resume={})
    places = appender.append(SITE, groups)
    appender.sync()
    appender.close()
    return segments, places
