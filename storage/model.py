"""The vocabulary of an archive: what an article, a snapshot, a representation and a finding are.

Values only: frozen, valid by construction, no input or output. Both packages speak
these words; everything that is written into a segment is made of the types below, so
a change here is a change of the on-disk format (see FORMAT.md). Made once, of parts that were
there before, no value is part of a cycle, and none is looked for (``gc=False``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct, field

FORMAT_VERSION = 2

#: The namespace of what a mirror says of its articles in documents of others' making: ``article``
#: in a ``url`` of a sitemap (sitemaps.org: extensions) is what ResourceSync carries.
TERMS = "urn:slugline:terms"

Reason = Literal[
    "first",
    "edit",
    "silent-edit",
    "same-day",
    "undated",
    "completed",
    "format-added",
    "format-removed",
    "reverted",
]
EventKind = Literal["gone-seen", "gone", "returned", "moved", "alias", "slug-assigned", "forgotten"]
State = Literal["complete", "partial"]
Unit = Literal["year", "month", "day", "minute", "second", "millisecond", "microsecond"]

#: Where a key may come from: the declared sources in order of trust, then the inferred ones.
KeySource = Literal[
    "record",
    "json",
    "jsonld",
    "markdown",
    "html",
    "records-file",
    "sitemap",
    "last-modified",
    "published",
    "observed",
]
DECLARED_SOURCES: tuple[KeySource, ...] = ("record", "json", "jsonld", "markdown", "html")


class Stamp(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A moment as somebody wrote it.

    ``at`` is aware and in UTC; ``unit`` is the finest unit that was written; ``offset`` is the
    written zone's distance from UTC in minutes, None where no zone was written (``at`` then
    reads the words as UTC).
    """

    at: datetime
    unit: Unit
    offset: int | None = None


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """An article's facts, in the seed's shape and key order. ``None``: nobody said."""

    slug: str
    title: str | None = None
    summary: str | None = None
    body_md: str | None = None
    url: str
    canonical_source: str | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    lang: str | None = None
    topics: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    alternates: dict[str, str] = field(default_factory=dict)


class Key(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a snapshot is filed under: a moment, how exact it is, and who said it.

    ``offset`` is the written zone's distance from UTC in minutes, so that a day or a month is cut
    in that zone when it is compared with a finer time; meaningless where ``zone_assumed``.
    """

    updated_at: datetime
    unit: Unit
    source: KeySource
    zone_assumed: bool = False
    offset: int = 0

    @property
    def declared(self) -> bool:
        """True where the publisher stated the moment as the article's update time."""
        return self.source in DECLARED_SOURCES


class Finding(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Something a reader should know about a snapshot, in a sentence and by kind."""

    kind: str
    detail: str = ""
    formats: tuple[str, ...] = ()


class BodyIn(Struct, frozen=True, kw_only=True, gc=False):
    """Where a record's ``body_md`` stands: ``length`` bytes from ``start`` on of a format's body.

    Of UTF-8, after content decoding; the format's bytes are in the same group.
    """

    format: str
    start: int
    length: int


class ContentDigest(Struct, frozen=True, kw_only=True, gc=False):
    """SHA-256 over one source's normalised words, and the extractor that chose them."""

    digest: str
    extractor: str


class Representation(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One format's bytes as served (RFC 9110 section 3.2), described.

    ``digest`` (SHA-256, hex) and ``length`` are of the bytes after content decoding;
    ``record_id`` names the WARC record that holds them, or that refers to
    ``target_id`` when the same payload is stored already. ``via`` is the publisher's own URL of
    bytes that came from another mirror, by that mirror's word: relative links are meant there.
    ``particulars`` is what the format alone can tell, by name, as its parser read it: ``pages``.
    """

    format: str
    url: str
    final_url: str
    status: int
    media_type: str
    digest: str
    length: int
    fetched_at: datetime
    declared_by: tuple[str, ...] = ()
    content_encoding: str = ""
    etag: str | None = None
    last_modified: str | None = None
    file: str = ""
    payload_digest: str = ""
    record_id: str = ""
    target_id: str | None = None
    request: dict[str, str] = field(default_factory=dict)
    via: str = ""
    particulars: dict[str, int | str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """Against what relative links in the bytes are resolved."""
        return self.via or self.final_url


class RecordRef(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A WARC record of a snapshot's group, in group order; ``length`` is compressed bytes.

    ``crc`` is the CRC-32 of these bytes, so that ``verify`` sees a bit that decoding passes over;
    None in what was written before it was kept.
    """

    id: str
    type: Literal["response", "revisit"]
    role: str
    length: int
    crc: int | None = None


class Manifest(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """A snapshot or an event as it is written: the first record of its group.

    ``sequence`` counts an article's manifests from 1, events included. ``said`` maps a
    record's field to the source it was taken from, ``canonical`` a declarer to the URL it
    gave, ``stamps`` a source to the update time it declared. ``body_in`` stands for the record's
    ``body_md`` in what is written; who reads an archive is given the text.
    """

    format: int = FORMAT_VERSION
    kind: Literal["snapshot", "event"] = "snapshot"
    site: str
    scope: str
    slug: str
    url: str
    sequence: int = 0
    observed_at: datetime
    run: str
    implicit: bool = False
    # a snapshot
    key: Key | None = None
    revision: int = 0
    reason: Reason | None = None
    state: State = "complete"
    missing: dict[str, str] = field(default_factory=dict)
    record: Record | None = None
    body_in: BodyIn | None = None
    said: dict[str, str] = field(default_factory=dict)
    canonical: dict[str, str] = field(default_factory=dict)
    content: dict[str, ContentDigest] = field(default_factory=dict)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    representations: tuple[Representation, ...] = ()
    findings: tuple[Finding, ...] = ()
    aliases: tuple[str, ...] = ()
    usage: dict[str, str] = field(default_factory=dict)
    redacted: tuple[str, ...] = ()
    private: bool = False
    # an event
    event: EventKind | None = None
    detail: dict[str, str] = field(default_factory=dict)
    # the group
    records: tuple[RecordRef, ...] = ()

    def representation(self, name: str) -> Representation | None:
        """Return the representation of the format called ``name``, if there is one."""
        return next((r for r in self.representations if r.format == name), None)


class Payload(Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP answer on its way into a segment: a format's, or a redirect hop's.

    ``body`` is as received: transfer coding taken off, content coding kept. ``role`` is the
    format's name, or ``hop`` or ``evidence``. With ``not_modified`` the server answered
    304 and the stored body stands.
    """

    role: str
    url: str
    status: int
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | memoryview = b""
    fetched_at: datetime
    not_modified: bool = False


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """What the crawler hands over: a manifest but for its numbers, and the answers behind it.

    The writer gives sequence, revision, record ids, lengths and digests of stored bytes.
    ``beside`` is the sequence of the snapshot that was the newest when this one was judged, 0 for
    none: where another writer has stored a newer one since, it is refused. None: whatever there is.
    """

    manifest: Manifest
    payloads: tuple[Payload, ...] = ()
    beside: int | None = None


class Site(Struct, frozen=True, kw_only=True):
    """What is mirrored: a normalised scope URL and its label."""

    name: str
    scope: str
    implicit: bool = False


class EntryState(Struct, frozen=True, kw_only=True):
    """What a run learned of one entry URL: operational, lost by a reindex.

    ``verdict``: ``article``, ``page``, ``failed``, ``skipped`` or ``gone``; ``why`` is a sentence.
    ``lastmod`` is the sitemap's own string at that fetch; ``verified_at`` is when all formats were
    last asked for and found to be what is stored, None where they never were.
    """

    site: str
    url: str
    verdict: Literal["article", "page", "failed", "skipped", "gone"]
    slug: str = ""
    why: str = ""
    lastmod: str = ""
    checked_at: datetime
    run: str
    attempts: int = 0
    verified_at: datetime | None = None


class Lately(Struct, frozen=True, kw_only=True):
    """An article's last few changes: how many, the oldest and the newest of them.

    Its first snapshot counts as one. A moment is the publisher's own where it says it, else ours.
    """

    changes: int
    oldest: datetime
    newest: datetime


class Validator(Struct, frozen=True, kw_only=True):
    """An ETag and Last-Modified (RFC 9110 section 8.8) that live with a stored body's digest."""

    url: str
    etag: str | None = None
    last_modified: str | None = None
    digest: str
