"""Forgetting an article: what a court or a person asks for, done so that nothing of it is left.

First a tombstone, an event with the reason and every URL that led there, so that from then on
nothing asks for it again. Then what is derived (files, run logs, lost bytes), then its records out
of every segment, then the index, whose file is written anew. Killed at any instant and started
again, it goes on. What stays: the slug and the URLs, which say what must not come back. What other
machines have of it in their spools is left out when those are drained (recovery.py), and what they
hand over later is refused (store.py); their files/ and lost/ their next runs clean (burials.py).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from storage.errors import StoreFailed
from storage.index.beside import remove
from storage.index.index import Index
from storage.index.replacing import Gap, forget_notes
from storage.index.standing import known_segments
from storage.layout import CATALOGUE
from storage.model import Draft, Manifest
from storage.notes import Notes
from storage.scrub import forget_files, scrub_beside, scrub_lost, scrub_runs
from storage.search import opening as fulltext_opening
from storage.segments.appending import SEGMENT_BYTES
from storage.segments.recovery import Group
from storage.store import Store
from storage.upkeep.rewriting import Upkeep
from storage.upkeep.trace import Trace, trace


class Forgotten(Struct, frozen=True, kw_only=True):
    """What was taken out: groups and bytes of segments, files, lines of run logs, lost files.

    ``trace`` is as it was before: where it has a tombstone, that one's reason stands.
    """

    trace: Trace
    groups: int
    segments: int
    bytes: int
    files: int
    lines: int
    lost: int


def forget(
    root: Path, slug_or_url: str, *, reason: str, now: datetime, site: str | None = None
) -> Forgotten:
    """Take an article out of all that a mirror holds, and leave a tombstone with the ``reason``.

    Where it was forgotten before, what is left of it goes, and the tombstone stays as it is.

    Raises NoSuchArticle, AmbiguousSlug, LockHeld, DamageFound.
    """
    root = root.absolute()
    gone = trace(root, slug_or_url, site)
    earlier = gone.tombstone
    tombstone = _bury(root, gone, reason, now) if earlier is None else earlier.sequence
    with Upkeep(root, now) as upkeep:
        files = forget_files(root, upkeep.index, gone)
        lines, lost = scrub_runs(root, gone), scrub_lost(root, gone)
        with upkeep.index.holding({gone.site}):
            # Nobody stores more of it between this look and the last of it.
            unseen = _drop_unseen(upkeep, gone)
            gaps = _gaps(upkeep.index, gone, tombstone)
            freed = sum(upkeep.drop(name, gaps[name]) for name in sorted(gaps))
        forget_notes(upkeep.index, gone.site, gone.slug, gone.urls)
        upkeep.settle()
        scrub_beside(root)
        upkeep.index.scrub()
        # Last: from now on nobody who reads the index finds words to put in again.
        fulltext_opening.forget(root, gone.site, gone.slug)
        remove(root / CATALOGUE)
    return Forgotten(
        trace=gone,
        groups=sum(map(len, gaps.values())) + unseen,
        segments=len(gaps),
        bytes=freed,
        files=files,
        lines=lines,
        lost=lost,
    )


def _bury(root: Path, gone: Trace, reason: str, now: datetime) -> int:
    """Store the tombstone, and return its sequence number."""
    manifest = Manifest(
        kind="event",
        event="forgotten",
        site=gone.site,
        scope=gone.scope,
        slug=gone.slug,
        url=gone.url,
        observed_at=now,
        run="forget",
        implicit=gone.implicit,
        aliases=tuple(url for url in gone.urls if url != gone.url),
        detail={"reason": reason},
    )
    store = Store(root, files=False, segment_bytes=SEGMENT_BYTES, now=now)
    try:
        (stored,) = store.commit([Draft(manifest=manifest)], Notes(at=now)).outcomes
    finally:
        store.close()
    if not isinstance(stored, Manifest):
        raise StoreFailed(f"the tombstone could not be stored: {stored}")
    return stored.sequence


def _drop_unseen(upkeep: Upkeep, gone: Trace) -> int:
    """Take the article out of objects that no index knows; return how many groups it were.

    A writer left them that died before it indexed them: who lives has nothing under way of a site
    that is held here.
    """
    if not upkeep.segments.shared:
        return 0
    count = 0
    for name in sorted(set(upkeep.segments.names(gone.site)) - known_segments(upkeep.index).keys()):
        walk = upkeep.segments.walk(name, skim=True)
        groups = [g for g in walk if isinstance(g, Group) and g.manifest.slug == gone.slug]
        if groups:
            spans = [(group.offset, group.length) for group in groups]
            upkeep.segments.without(name, (), forgotten=spans)
        count += len(groups)
    return count


_GROUPS = """
    SELECT segment, "offset" AS place, length, sequence FROM snapshots
    WHERE site = :site AND slug = :slug
    UNION ALL
    SELECT segment, "offset", length, sequence FROM events
    WHERE site = :site AND slug = :slug
"""


def _gaps(index: Index, gone: Trace, tombstone: int) -> dict[str, list[Gap]]:
    """Return every group of the article but its tombstone, by segment."""
    gaps: dict[str, list[Gap]] = {}
    for row in index.ask(_GROUPS, site=gone.site, slug=gone.slug):
        if row["sequence"] != tombstone:
            gap = Gap(offset=row["place"], length=row["length"])
            gaps.setdefault(row["segment"], []).append(gap)
    return gaps
