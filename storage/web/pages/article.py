"""An article's page: its history as a picture and a table, its record, and who declared what."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from storage.archive import EventRow, SnapshotRow
from storage.errors import DamageFound
from storage.index import versions
from storage.model import Manifest
from storage.web import charts, paths, templating
from storage.web.answer import Answer
from storage.web.lists import known_article
from storage.web.reading import ThreadArchive
from storage.web.request import Refusal, Request
from storage.web.words import changed_words
from storage.wording import count, told

#: Snapshots of one page of a history, the newest first.
MOST_SNAPSHOTS = 50
#: Other articles of the same original that are listed.
MOST_OF_ORIGINAL = 20
#: Events that are steps of the archive's own, and tell nothing of the article.
_MERE_STEPS = frozenset({"gone-seen", "slug-assigned"})


class Kept(Struct, frozen=True):
    """A line of the history: a snapshot, what its edit took and added (None: not known)."""

    row: SnapshotRow
    change: tuple[int, int] | None


class Cluster(Struct, frozen=True):
    """An article's original on another host: whether it is here, and who else has it as theirs."""

    url: str
    here: tuple[SnapshotRow, ...]
    others: tuple[SnapshotRow, ...]


def page(reading: ThreadArchive, request: Request) -> Answer:
    """Show one article; ``before`` (a sequence number) goes back in a long history."""
    site, slug = known_article(reading, request)
    before = request.number("before")
    index = reading.archive.index
    # One more than is shown: what the oldest one shown is compared with.
    rows = versions.latest(index, site, slug, MOST_SNAPSHOTS + 1, before, private=reading.private)
    events = [one for one in reading.archive.events(site, slug) if one.event not in _MERE_STEPS]
    if not rows:
        raise _nothing(slug, events)
    newest = rows[0] if before is None else versions.latest(
        index, site, slug, 1, None, private=reading.private
    )[0]  # fmt: skip
    manifest = reading.archive.manifest(newest, text=False)
    kept = _kept(reading, rows)[:MOST_SNAPSHOTS]
    return templating.page(
        "article.html",
        headers=_links(newest),
        newest=newest,
        manifest=manifest,
        record=manifest.record,
        gone=_gone_at(events, newest),
        kept=kept,
        events=events,
        number=versions.count(index, site, slug, private=reading.private),
        older=rows[MOST_SNAPSHOTS - 1].sequence if len(rows) > MOST_SNAPSHOTS else None,
        before=before,
        timeline=charts.timeline([_point(one) for one in reversed(kept)]),
        formats=[one.format for one in manifest.representations if one.record_id],
        cluster=_cluster(reading, manifest),
    )


def _nothing(slug: str, events: Sequence[EventRow]) -> Refusal:
    """Return the refusal for an article without a snapshot: forgotten, or none may be shown."""
    for event in events:
        if event.event == "forgotten":
            why = event.detail.get("reason", "no reason is given")
            return Refusal(410, f"{slug!r} was forgotten: {why}.")
    return Refusal(404, f"The archive shows no snapshot of {slug!r}.")


def _links(newest: SnapshotRow) -> tuple[tuple[str, str], ...]:
    """RFC 5829: this page is the version history, and names the latest version."""
    here = paths.article_path(newest.site, newest.slug)
    latest = paths.snapshot_path(newest)
    return (("Link", f'<{here}>; rel="version-history", <{latest}>; rel="latest-version"'),)


def _gone_at(events: Sequence[EventRow], newest: SnapshotRow) -> datetime | None:
    last = [
        one
        for one in events
        if one.event in {"gone", "returned"} and one.sequence > newest.sequence
    ]
    return last[-1].observed_at if last and last[-1].event == "gone" else None


def _kept(reading: ThreadArchive, rows: Sequence[SnapshotRow]) -> list[Kept]:
    """Return the history's lines, newest first; the size of each change is remembered."""
    texts: dict[str, str | None] = {}

    def text(row: SnapshotRow) -> str | None:
        if row.id not in texts:
            texts[row.id] = _words(reading, row)
        return texts[row.id]

    found = []
    for n, row in enumerate(rows):
        if n + 1 == len(rows):
            found.append(Kept(row, None))
            continue
        known = reading.sizes.get(row.id)
        if known is None:
            old, new = text(rows[n + 1]), text(row)
            change = None if old is None or new is None else changed_words(old, new)
            known = reading.sizes.keep(row.id, (change,))
        found.append(Kept(row, known[0]))
    return found


def _words(reading: ThreadArchive, row: SnapshotRow) -> str | None:
    try:
        record = reading.archive.manifest(row).record
    except DamageFound:
        # The history is shown as far as it can be read; the snapshot's own page says what is wrong.
        return None
    return record.body_md if record else None


def _point(kept: Kept) -> charts.Point:
    row = kept.row
    words = None if kept.change is None else sum(kept.change)
    label = f"{told(row.reason)}, seen {row.observed_at:%Y-%m-%d %H:%M} UTC"
    if words is not None:
        label += f", {count(words, 'word')} changed"
    if row.findings:
        label += f", {', '.join(sorted({one.kind for one in row.findings}))}"
    return charts.Point(
        row.observed_at, words, row.reason, len(row.findings), row.state == "partial",
        paths.snapshot_path(row), label,
    )  # fmt: skip


def _cluster(reading: ThreadArchive, manifest: Manifest) -> Cluster | None:
    """Return what the archive has of the article's original, and of others that share it."""
    source = manifest.record.canonical_source if manifest.record else None
    if not source:
        return None
    this = (manifest.site, manifest.slug)
    held = [name for name in reading.archive.resolve(source) if name != this]
    others = [
        name
        for name in reading.catalogue.of_original(source, MOST_OF_ORIGINAL)
        if name != this and name not in held
    ]
    index = reading.archive.index
    return Cluster(
        source,
        tuple(versions.newest_of(index, held[:MOST_OF_ORIGINAL], private=reading.private)),
        tuple(versions.newest_of(index, others, private=reading.private)),
    )
