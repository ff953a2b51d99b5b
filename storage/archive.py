"""The one door for reading: everything that a mirror holds, through one object.

Reading never writes, needs no lock, and works while a run writes. An Archive is used by one
thread at a time. Lists come in an order that a reindex does not change.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from msgspec import Struct, structs

from storage import layout, select
from storage.codings import CodingError, decode
from storage.errors import AmbiguousSlug, DamageFound, IndexUnusable, NoSuchArticle
from storage.index import changes, queries, remembered
from storage.index.changes import EVERY_CHANGE, Asked, Change
from storage.index.opening import is_there
from storage.index.queries import SiteStatus
from storage.index.reader import Reader
from storage.index.remembered import RunRow
from storage.index.rows import EventRow, SnapshotRow
from storage.index.standing import known_segments
from storage.missing import check_any_there
from storage.model import (
    ContentDigest,
    EntryState,
    Lately,
    Manifest,
    Representation,
    Site,
    Validator,
)
from storage.records import Records
from storage.segments.opening import open_segments
from storage.times import format_utc
from storage.warc import most_of
from storage.warc_read import Parsed

__all__ = [
    "Archive",
    "Asked",
    "Body",
    "Change",
    "EventRow",
    "RunRow",
    "SiteStatus",
    "SnapshotRow",
]


class Body(Struct, frozen=True, kw_only=True):
    """A representation's bytes: ``stored`` as received, ``decoded`` without content coding.

    ``status``, ``reason`` and ``headers`` are those of the answer that holds the bytes: for a
    revisit, the earlier one's.
    """

    representation: Representation
    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    stored: bytes
    decoded: bytes


class Archive:
    """An open mirror, for reading. State: the index's connection and the open segment files."""

    def __init__(self, root: Path, index: Reader) -> None:
        """Use ``open`` or ``create``; the index is closed with the archive."""
        self.root = root
        self._index = index
        self._records = Records(root, index)

    @classmethod
    def open(cls, root: Path) -> Self:
        """Open the mirror at ``root``.

        Raises NotAMirror, NewerFormat, SegmentsGone where no segment is there that the index knows,
        and IndexUnusable where a reindex is needed first.
        """
        root = root.absolute()
        layout.check(root)
        if not is_there(root):
            if has_segments(root):
                raise IndexUnusable(root, "the index is missing, beside segments")
            from storage.index.index import Index  # noqa: PLC0415  - who reads writes nothing

            return cls(root, Index.empty(root))
        with ExitStack() as opened:
            index = Reader.to_read(root)
            opened.callback(index.close)
            segments = open_segments(root)
            if segments.are_others(known_segments(index)):
                check_any_there(root, index, segments)
                name = index.database.name
                raise IndexUnusable(root, f"{name} knows other segments than there are")
            opened.pop_all()
            return cls(root, index)

    @classmethod
    def create(cls, root: Path) -> Self:
        """Make a mirror at ``root`` where the folder is new or empty, and open it.

        Raises NotAMirror where something else is there, ReadOnly, DiskFull, StoreFailed.
        """
        layout.make(root.absolute())
        return cls.open(root)

    def close(self) -> None:
        """Close files and index; the object is of no use after that."""
        self._records.close()
        self._index.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def index(self) -> Reader:
        """The index, open for the questions of this package's other rooms."""
        return self._index

    # lists

    def sites(self) -> list[Site]:
        """Return every site, captured foreign hosts among them, by name."""
        return queries.all_sites(self._index)

    def newest_all(
        self,
        site: str | None = None,
        *,
        canonicals: bool = False,
        at: datetime | None = None,
        since: datetime | None = None,
    ) -> Iterator[SnapshotRow]:
        """Give each article's newest snapshot, by site and slug; ``gone_at`` where it is gone.

        ``at``: as it stood at that moment of observation, inclusive; ``since``: only what was
        observed then or later; ``canonicals``: captured foreign originals too.
        """
        return queries.newest_all(self._index, site, canonicals=canonicals, at=at, since=since)

    def history(self, site: str, slug: str) -> list[SnapshotRow]:
        """Return an article's snapshots, oldest first by sequence."""
        return queries.history(self._index, site, slug)

    def all_history(
        self, site: str | None = None, *, canonicals: bool = False
    ) -> Iterator[SnapshotRow]:
        """Give every snapshot, by site, slug and sequence."""
        return queries.all_history(self._index, site, canonicals=canonicals)

    def changes(self, asked: Asked = EVERY_CHANGE) -> Iterator[Change]:
        """Give the snapshots and events that are ``asked`` for, oldest first by observation."""
        return changes.changes(self._index, asked)

    def first_id(self) -> str | None:
        """Return the record id of the snapshot observed first, or None: there is none yet."""
        return changes.first_id(self._index)

    def shared_files(self) -> set[str]:
        """Return the names under files/ that several articles have in turn, having shared a URL."""
        return queries.shared_files(self._index)

    def events(self, site: str, slug: str) -> list[EventRow]:
        """Return what happened to an article besides snapshots, oldest first by sequence."""
        return queries.article_events(self._index, site, slug)

    def missed(self, site: str) -> dict[str, EventRow]:
        """Return a site's articles last heard of as gone or seen gone, with that event."""
        return queries.missed(self._index, site)

    def forgotten(self, site: str) -> dict[str, str]:
        """Return the URLs that must not be asked for again, each with its article's slug."""
        return queries.forgotten(self._index, site)

    # one article

    def resolve(self, slug_or_url: str, site: str | None = None) -> list[tuple[str, str]]:
        """Return the articles, as site and slug, that a slug, second slug or URL may mean."""
        found = queries.named(self._index, slug_or_url, site)
        if not found:
            found = queries.at_urls(self._index, select.urls_meant(slug_or_url), site)
        return sorted(found)

    def find(self, slug_or_url: str, site: str | None = None) -> tuple[str, str]:
        """Return the one article meant, as site and slug. Raises NoSuchArticle, AmbiguousSlug."""
        found = self.resolve(slug_or_url, site)
        if not found:
            where = f"on {site}" if site else f"in {self.root}"
            raise NoSuchArticle(f"no article {slug_or_url!r} {where}: see `slugline list`")
        if len(found) > 1:
            raise AmbiguousSlug(slug_or_url, tuple(name for name, _ in found))
        return found[0]

    def pick(
        self,
        site: str,
        slug: str,
        *,
        at: datetime | None = None,
        by: Literal["observed", "updated"] = "observed",
        revision: int | None = None,
    ) -> SnapshotRow:
        """Return the snapshot that ``show --at --by --revision`` means, else the newest.

        Raises NoSuchArticle.
        """
        if revision is None and (at is None or by == "observed"):
            known = self._index, site, slug
            found = queries.newest(*known) if at is None else queries.newest_at(*known, at)
            if found is not None:
                return found
        return select.pick(self._rows(site, slug), at=at, by=by, revision=revision)

    def select(self, site: str, slug: str, spec: str, now: datetime) -> SnapshotRow:
        """Return the snapshot that ``diff`` calls ``spec``: UPDATED_AT[.rN], a moment, a number.

        Raises NoSuchArticle, and times.WhenError where ``spec`` is none of these.
        """
        return select.by_spec(self._rows(site, slug), spec, now)

    def _rows(self, site: str, slug: str) -> list[SnapshotRow]:
        rows = self.history(site, slug)
        if not rows:
            raise NoSuchArticle(f"no snapshot of {slug!r} on {site}{self._buried(site, slug)}")
        return rows

    def _buried(self, site: str, slug: str) -> str:
        """Return the rest of a sentence on an article without snapshots: that it was forgotten."""
        buried = [one for one in self.events(site, slug) if one.event == "forgotten"]
        if not buried:
            return ""
        when = format_utc(buried[-1].observed_at.replace(microsecond=0))
        # Anybody may have written it, an escape sequence too.
        reason = buried[-1].detail.get("reason", "")
        return f": it was forgotten on {when}, for the reason {reason!r}"

    def newest(self, site: str, slug: str) -> Manifest | None:
        """Return an article's newest snapshot, or None.

        Where only the bytes that its text stands in are damaged, it has no text: a run goes on, and
        ``verify`` tells. Raises DamageFound.
        """
        row = queries.newest(self._index, site, slug)
        if row is None:
            return None
        try:
            return self.manifest(row)
        except DamageFound:
            return structs.replace(self.manifest(row, text=False), body_in=None)

    def with_words(
        self, site: str, slug: str, before: int, content: Mapping[str, ContentDigest]
    ) -> Iterator[Manifest]:
        """Give an article's snapshots, newest first, that seem to have all these contents.

        They are without their texts. ``before``: only those of a lower sequence number; ``content``
        is by source. The index has marks of the words alone: compare the digests. Raises
        DamageFound.
        """
        rows = queries.with_words(self._index, site, slug, before, content)
        return (self.manifest(row, text=False) for row in rows)

    def manifest(self, row: SnapshotRow | EventRow, *, text: bool = True) -> Manifest:
        """Return the manifest that a row stands for; ``text`` as in Records. Raises DamageFound."""
        return self._records.manifest(row, text=text)

    def group(self, row: SnapshotRow | EventRow) -> bytes:
        """Return the bytes of a snapshot's or event's records as stored. Raises DamageFound."""
        return self._records.group(row)

    def stored(self, segment: str, offset: int, length: int) -> bytes:
        """Return a segment's bytes as they stand. Raises DamageFound where they are not there."""
        return self._records.stored(segment, offset, length)

    def answer(self, record_id: str) -> Parsed:
        """Return a stored answer by the id of the record that holds it. Raises DamageFound."""
        return self._records.answer(record_id)

    def body(self, manifest: Manifest, format: str) -> Body:
        """Return the bytes of a snapshot's format, through revisits to where they are stored.

        Raises NoSuchArticle where the snapshot has none, DamageFound where they are not as written.
        """
        one = manifest.representation(format)
        name = f"{manifest.site}/{manifest.slug}"
        if one is None:
            kept = ", ".join(r.format for r in manifest.representations) or "none"
            raise NoSuchArticle(f"{name} has no format {format!r} in this snapshot; it has {kept}")
        if not one.record_id:
            raise NoSuchArticle(f"the {format} of {name} was seen and not stored")
        held = one.target_id or one.record_id
        answer = self._records.answer(held)
        where = f"{self._records.where(held)}, the {format} of {name}"
        try:
            # No more is believed of a body than of a record: a bomb's length may be true.
            most = min(one.length, most_of(len(answer.body)))
            decoded = decode(answer.body, one.content_encoding, most)
        except CodingError as error:
            raise DamageFound(where, str(error)) from error
        if sha256(decoded).hexdigest() != one.digest:
            raise DamageFound(where, "the bytes are not those of its digest")
        return Body(
            representation=one,
            status=answer.status,
            reason=answer.reason,
            headers=answer.headers,
            stored=answer.body,
            decoded=decoded,
        )

    # what runs remember

    def entries(self, site: str) -> dict[str, EntryState]:
        """Return what runs learned of a site's entry URLs, by URL."""
        return remembered.site_entries(self._index, site)

    def lately(self, site: str) -> dict[str, Lately]:
        """Return by slug when a site's articles changed, as their last few snapshots tell."""
        return queries.lately(self._index, site)

    def slugs(self, site: str) -> dict[str, str]:
        """Return a site's articles, each slug with the article's newest URL."""
        return queries.site_slugs(self._index, site)

    def aliases(self, site: str) -> dict[str, str]:
        """Return every URL that leads to an article of a site, with its slug."""
        return queries.site_aliases(self._index, site)

    def memory(self, site: str) -> dict[str, str]:
        """Return what the site's earlier runs left for later ones: JSON text by key."""
        return remembered.site_memory(self._index, site)

    def remembered(self, site: str, key: str) -> str | None:
        """Return what the site's earlier runs left under ``key``: JSON text, None: nothing."""
        return remembered.remembered(self._index, site, key)

    def failing(self, site: str | None = None) -> list[EntryState]:
        """Return the entries that could not be had when last asked for, by site and URL."""
        return remembered.failing_entries(self._index, site)

    def validators(self, urls: Iterable[str]) -> dict[str, Validator]:
        """Return the validators kept for some URLs, by URL."""
        return remembered.stored_validators(self._index, list(urls))

    def runs(self) -> list[RunRow]:
        """Return every run that the index remembers, newest first."""
        return remembered.all_runs(self._index)

    def status(self, site: str | None = None) -> list[SiteStatus]:
        """Return each site's numbers, by name."""
        wanted = [one for one in self.sites() if site is None or one.name == site]
        return [queries.site_status(self._index, one) for one in wanted]


def has_segments(root: Path) -> bool:
    """Tell whether the mirror at ``root`` has any segment."""
    return open_segments(root).are_there()
