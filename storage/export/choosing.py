"""Which snapshots an export takes, for every kind alike.

What was fetched with a private header stays at home unless asked for, and so do originals captured
on other hosts. What was forgotten is not there any more, and its tombstone is nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from msgspec import Struct, structs

from storage.archive import Archive
from storage.export.reservations import reservations
from storage.index.rows import EventRow, SnapshotRow
from storage.model import Manifest


class Chosen(Struct, frozen=True, kw_only=True):
    """What is asked for. Every condition must hold; ``topics``: one of them is enough.

    ``at`` and ``since`` are by observation, both inclusive: the newest snapshot as of ``at``, if it
    was observed at ``since`` or later; with ``every``, all from ``since`` to ``at``. ``lang`` is a
    language range (RFC 4647 section 3.3.1). Without ``reserved``, no snapshot whose publisher
    reserved a use. ``canonicals``: originals of other hosts too.
    """

    site: str | None = None
    at: datetime | None = None
    since: datetime | None = None
    topics: tuple[str, ...] = ()
    lang: str | None = None
    canonicals: bool = False
    private: bool = False
    reserved: bool = True
    every: bool = False

    @property
    def narrow(self) -> bool:
        """Whether a manifest must be read to know if its snapshot is taken."""
        return bool(self.topics or self.lang or not self.reserved)

    def admits(self, manifest: Manifest) -> bool:
        """Tell whether a snapshot may be taken, whenever it was observed."""
        if manifest.private and not self.private:
            return False
        if not self.reserved and reservations(manifest.usage):
            return False
        record = manifest.record
        if self.lang and not (record and record.lang and _ranges(self.lang, record.lang)):
            return False
        if not self.topics:
            return True
        asked = {topic.casefold() for topic in self.topics}
        return record is not None and not asked.isdisjoint(t.casefold() for t in record.topics)

    def within(self, moment: datetime) -> bool:
        """Tell whether a moment of observation is one of those asked for."""
        if self.since is not None and moment < self.since:
            return False
        return self.at is None or moment <= self.at


class Taken(Struct, frozen=True, kw_only=True):
    """A snapshot to be exported. Its row's ``gone_at``: when the article was gone after it."""

    row: SnapshotRow
    manifest: Manifest


EVERYTHING = Chosen()


def taken(archive: Archive, chosen: Chosen, *, text: bool = True) -> Iterator[Taken]:
    """Give the snapshots chosen, by site, slug and sequence; ``text`` as in Records.

    Raises DamageFound.
    """
    for row in _rows(archive, chosen):
        if row.private and not chosen.private:
            continue
        manifest = archive.manifest(row, text=text)
        if chosen.admits(manifest):
            yield Taken(row=row, manifest=manifest)


def _rows(archive: Archive, chosen: Chosen) -> Iterator[SnapshotRow]:
    if not chosen.every:
        return archive.newest_all(
            chosen.site, canonicals=chosen.canonicals, at=chosen.at, since=chosen.since
        )
    rows = (row for article in histories(archive, chosen) for row in _every(archive, article))
    return (row for row in rows if chosen.within(row.observed_at))


def histories(archive: Archive, chosen: Chosen) -> Iterator[list[SnapshotRow]]:
    """Give each article's snapshots up to ``chosen.at``, oldest first."""
    rows = archive.all_history(chosen.site, canonicals=chosen.canonicals)
    for _, article in groupby(rows, key=lambda row: (row.site, row.slug)):
        seen = [row for row in article if chosen.at is None or row.observed_at <= chosen.at]
        if seen:
            yield seen


def _every(archive: Archive, rows: Sequence[SnapshotRow]) -> Iterator[SnapshotRow]:
    events = [
        event
        for event in archive.events(rows[0].site, rows[0].slug)
        if event.event in {"gone", "returned"}
    ]
    for number, row in enumerate(rows):
        later = rows[number + 1].sequence if number + 1 < len(rows) else None
        yield structs.replace(row, gone_at=_gone(events, row.sequence, later)) if events else row


def _gone(events: Sequence[EventRow], after: int, before: int | None) -> datetime | None:
    """Return when the article was gone between two sequence numbers, and stayed so."""
    told = [e for e in events if e.sequence > after and (before is None or e.sequence < before)]
    return told[-1].observed_at if told and told[-1].event == "gone" else None


def _ranges(wanted: str, lang: str) -> bool:
    wide, tag = wanted.casefold(), lang.casefold().replace("_", "-")
    return wide in {"*", tag} or tag.startswith(f"{wide}-")
