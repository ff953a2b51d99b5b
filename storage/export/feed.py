"""Export: what changed, as an Atom feed (RFC 4287) for a feed reader.

An entry a snapshot or event, newest first, its id the one that the manifest has in the segments:
the same archive gives the same feed, byte for byte. Words of a site are text here, never markup.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape
from typing import BinaryIO

from storage.archive import Archive, Asked, Change
from storage.index.rows import SnapshotRow
from storage.times import format_utc

#: Entries where no moment to begin from was given: weeks of a busy site, still a quick download.
MOST_ENTRIES = 200
#: Characters of a title or a sentence of a site's that a feed shows.
MOST_CHARACTERS = 1_000

#: XML 1.0 section 2.2: no other character may stand in a document, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: Feeds of ours that are made from the same archive have ids of one family (RFC 9562 section 5.5).
_FAMILY = uuid.uuid5(uuid.NAMESPACE_DNS, "feed.slugline.invalid")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_TOLD = {
    "first": "New",
    "edit": "Edited",
    "silent-edit": "Edited in silence",
    "same-day": "Edited the same day",
    "undated": "Edited, undated",
    "completed": "Completed",
    "format-added": "In a new format",
    "format-removed": "Without a format it had",
    "reverted": "Back to earlier words",
    "gone": "Gone",
    "returned": "Returned",
    "moved": "Moved",
    "forgotten": "Forgotten",
}


def export_feed(
    archive: Archive,
    out: BinaryIO,
    *,
    site: str | None = None,
    at: datetime | None = None,
    since: datetime | None = None,
    canonicals: bool = False,
    private: bool = False,
) -> int:
    """Write the feed of an archive's changes to ``out`` and return how many entries it has.

    ``at`` and ``since`` bound the moments of observation, both inclusive; without ``since`` the
    newest ``MOST_ENTRIES`` are taken. ``canonicals`` and ``private`` as in export_jsonl. Raises
    OSError as ``out`` does.
    """
    asked = Asked(
        since=since,
        until=at,
        site=site,
        canonicals=canonicals,
        last=None if since else MOST_ENTRIES,
    )
    shown = [each for each in archive.changes(asked) if private or not each.private]
    updated = max((each.row.observed_at for each in shown), default=_NEVER)
    identity = _feed_id(archive, site)
    out.writelines(f"{line}\n".encode() for line in _head(identity, site, updated))
    for each in reversed(shown):
        out.writelines(f"  {line}\n".encode() for line in _entry(each))
    out.write(b"</feed>\n")
    return len(shown)


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
    told = _TOLD.get(change.what, change.what)
    yield "<entry>"
    yield f"  <id>{_text(row.id)}</id>"
    yield f"  <title>{_text(f'{told}: {change.title or row.slug}')}</title>"
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
