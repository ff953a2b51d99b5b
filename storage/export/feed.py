"""Export: what changed, as an Atom feed (RFC 4287) for a feed reader.

An entry a snapshot or event, newest first, its id the one that the manifest has in the segments:
the same archive gives the same feed, byte for byte. Words of a site are text here, never markup.
"""

from __future__ import annotations

import re
import uuid
from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, Self

from storage.archive import Archive, Asked, Change
from storage.export.choosing import EVERYTHING, Chosen
from storage.index.rows import SnapshotRow
from storage.times import format_utc
from storage.wording import told

#: Entries where no moment to begin from was given: weeks of a busy site, still a quick download.
MOST_ENTRIES = 200
#: Bytes of entries kept in memory: a feed of the newest changes never needs a file.
_IN_MEMORY = 4 << 20
#: Characters of a title or a sentence of a site's that a feed shows.
MOST_CHARACTERS = 1_000

#: XML 1.0 section 2.2: no other character may stand in a document, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Feeds of ours that are made from the same archive have ids of one family (RFC 9562 section 5.5).
_FAMILY = uuid.uuid5(uuid.NAMESPACE_DNS, "feed.slugline.invalid")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def export_feed(
    archive: Archive, out: BinaryIO, chosen: Chosen = EVERYTHING, *, slug: str | None = None
) -> int:
    """Write the feed of the changes chosen to ``out`` and return how many entries it has.

    ``slug``: one article's of ``chosen.site``. Without ``chosen.since`` the newest ``MOST_ENTRIES``
    are taken. An event goes with the snapshot before it. Raises OSError as ``out`` does.
    """
    every = chosen.since is not None
    asked = Asked(
        since=chosen.since,
        until=chosen.at,
        site=chosen.site,
        slug=slug,
        canonicals=chosen.canonicals,
        # What is left out after the index was asked must not make the feed shorter.
        last=None if every or chosen.narrow else MOST_ENTRIES,
    )
    shown = (each for each in archive.changes(asked) if _admits(archive, chosen, each))
    with _Entries(None if every else MOST_ENTRIES) as entries:
        for each in shown:
            entries.add(each)
        site = chosen.site
        of = site if slug is None else f"{site}/{slug}"
        head = _head(_feed_id(archive, of), of, entries.updated)
        out.writelines(f"{line}\n".encode() for line in head)
        out.writelines(entries.newest_first())
        out.write(b"</feed>\n")
        return len(entries)


def _admits(archive: Archive, chosen: Chosen, change: Change) -> bool:
    if change.private and not chosen.private:
        return False
    if not chosen.narrow:
        return True
    row = change.row
    if isinstance(row, SnapshotRow):
        return chosen.admits(archive.manifest(row, text=False))
    before = [r for r in archive.history(row.site, row.slug) if r.sequence < row.sequence]
    return bool(before) and chosen.admits(archive.manifest(before[-1], text=False))


class _Entries:
    """The entries, added oldest first and read newest first, on disk once they are many.

    State: a file, each entry's end in it, the moment of the newest.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._ends = array("Q", [0])
        self._file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115  - closed with this object
        self.updated = _NEVER

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        count = len(self._ends) - 1
        return count if self._most is None else min(count, self._most)

    def add(self, change: Change) -> None:
        """Write an entry behind the others."""
        written = "".join(f"  {line}\n" for line in _entry(change)).encode()
        self._file.write(written)
        self._ends.append(self._ends[-1] + len(written))
        self.updated = max(self.updated, change.row.observed_at)

    def newest_first(self) -> Iterator[bytes]:
        """Give the entries back, as many as are wanted."""
        last = len(self._ends) - 1
        for number in range(last, last - len(self), -1):
            start, end = self._ends[number - 1], self._ends[number]
            self._file.seek(start)
            yield self._file.read(end - start)


def _feed_id(archive: Archive, site: str | None) -> str:
    """Name the feed after the archive's first snapshot: no other archive has that one."""
    return uuid.uuid5(_FAMILY, f"{archive.first_id() or ''} {site or ''}").urn


def _head(identity: str, site: str | None, updated: datetime) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="utf-8"?>'
    yield '<feed xmlns="http://www.w3.org/2005/Atom">'
    yield f"  <id>{identity}</id>"
    yield f"  <title>{_text(f'What changed on {site}' if site else 'What changed')}</title>"
    yield f"  <updated>{format_utc(updated)}</updated>"
    yield "  <author><name>slugline</name></author>"
    yield "  <generator>slugline</generator>"


def _entry(change: Change) -> Iterator[str]:
    row = change.row
    what = told(change.what)
    yield "<entry>"
    yield f"  <id>{_text(row.id)}</id>"
    yield f"  <title>{_text(f'{what}: {change.title or row.slug}')}</title>"
    yield f"  <updated>{format_utc(row.observed_at)}</updated>"
    yield f'  <link rel="alternate" href="{escape(_NOT_XML.sub("", row.url))}"/>'
    yield f'  <category term="{_text(change.what)}"/>'
    yield f"  <summary>{_text(' '.join(_sentences(change)))}</summary>"
    yield "</entry>"


def _sentences(change: Change) -> Iterator[str]:
    row = change.row
    yield f"{row.slug} on {row.site}."
    if not isinstance(row, SnapshotRow):
        for name, value in row.detail.items():
            if value != row.url:
                yield f"{name}: {value}."
        return
    again = f", revision {row.revision}" if row.revision else ""
    yield f"Its date is {format_utc(row.updated_at)}{again}."
    if row.formats:
        yield f"Formats: {', '.join(row.formats)}."
    for name, why in row.missing.items():
        yield f"Missing: {name} ({why})."
    for finding in row.findings:
        yield f"{finding.kind}: {finding.detail}." if finding.detail else f"{finding.kind}."


def _text(words: str) -> str:
    """Make a site's words safe inside an element or an attribute: escaped, bounded, one line."""
    cut = words if len(words) <= MOST_CHARACTERS else words[: MOST_CHARACTERS - 1] + "…"
    return escape(" ".join(_NOT_XML.sub("\ufffd", cut).split()))
