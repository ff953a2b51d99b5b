"""What of a damaged segment can be kept: whole groups as they stand, others without what is broken.

A group whose manifest is whole keeps its words and the bodies that are sound; a format that is not
becomes one that is missing, so that the snapshot is partial and its article owed. A group whose
manifest can't be read goes as a whole. Nothing is written here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from msgspec import Struct, field, structs

from storage.errors import DamageFound
from storage.index.rows import Row
from storage.model import Manifest
from storage.segments.kinds import Span
from storage.segments.rewriting import Piece
from storage.segments.source import Source
from storage.verify.found import Counts
from storage.verify.rows import SegmentRows
from storage.verify.segments import SegmentCheck, Told
from storage.warc import build_manifest

#: Why a format is missing that was stored once.
WHY_MISSING = "its stored bytes were damaged"


class Edition(Struct, frozen=True, kw_only=True):
    """What was lost of an article: ``bodies`` are digests of decoded bytes, by format.

    ``whole``: the snapshot is gone, and not only these formats of it.
    """

    site: str
    slug: str
    url: str
    sequence: int
    bodies: dict[str, str]
    whole: bool


class Salvage(Struct):
    """A segment's pieces to be kept, the spans that go to lost/, and what was lost with them.

    ``rows`` are the index's of groups that nothing else tells of; ``headless``: the segment's first
    record, which says what it is, is not there. Mutable while it is gathered.
    """

    pieces: list[Piece] = field(default_factory=list)
    broken: list[Span] = field(default_factory=list)
    editions: list[Edition] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    groups: int = 0
    headless: bool = False

    def keep(self, offset: int, length: int) -> None:
        """Keep bytes as they stand, joined to those before them."""
        last = self.pieces[-1] if self.pieces else None
        if isinstance(last, tuple) and sum(last) == offset:
            self.pieces[-1] = (last[0], last[1] + length)
        else:
            self.pieces.append((offset, length))


def salvage(
    source: Source, rows: SegmentRows | None, end: int, gone: Mapping[int, Collection[str]]
) -> Salvage:
    """Go through a segment up to ``end``; bytes behind it are kept for recovery to judge.

    ``gone`` has, by a group's offset, records of it that can be kept no longer.
    """
    check = SegmentCheck(source, rows, Counts())
    found = Salvage()
    at = 0
    while at < min(end, source.size):
        row = rows.at(at) if rows else None
        told = check.read(at, row)
        if at == 0:
            found.headless = not isinstance(told, int)
        if isinstance(told, int):
            found.keep(at, told)
            at += told
        elif isinstance(told, DamageFound):
            border = check.border_after(at, end)
            found.broken.append((at, min(border, source.size) - at))
            if row is not None:
                found.rows.append(row)
            at = border
        else:
            _group(check, told, found, set(gone.get(at, ())))
            at = told.end
    if at < source.size:
        found.keep(at, source.size - at)
    return found


def _group(check: SegmentCheck, told: Told, found: Salvage, gone: set[str]) -> None:
    """Keep a group as it stands, or without those of its records that are broken."""
    found.groups += 1
    broken = {ref.id: at for ref, at, _ in check.faults(told, deep=False)}
    lengths = {ref.id: ref.length for ref in told.manifest.records}
    found.broken += [(at, lengths[key]) for key, at in broken.items()]
    lost = gone | broken.keys()
    if not lost:
        found.keep(told.offset, told.end - told.offset)
        return
    manifest = without(told.manifest, lost)
    found.pieces.append(build_manifest(manifest, record_id=told.id))
    at = told.offset + told.head
    for ref in told.manifest.records:
        if ref.id not in lost:
            found.keep(at, ref.length)
        at += ref.length
    bodies = {
        one.format: one.digest for one in told.manifest.representations if one.record_id in lost
    }
    if bodies:
        found.editions.append(
            Edition(
                site=manifest.site,
                slug=manifest.slug,
                url=manifest.url,
                sequence=manifest.sequence,
                bodies=bodies,
                whole=False,
            )
        )


def without(manifest: Manifest, lost: Collection[str]) -> Manifest:
    """Return a manifest that names these records no longer; their formats are missing. Pure."""
    formats = [one.format for one in manifest.representations if one.record_id in lost]
    missing = manifest.missing | dict.fromkeys(formats, WHY_MISSING)
    text = manifest.body_in
    return structs.replace(
        manifest,
        body_in=None if text is not None and text.format in formats else text,
        state="partial" if formats else manifest.state,
        missing=missing,
        representations=tuple(
            one
            for one in manifest.representations
            if one.record_id not in lost or not one.record_id
        ),
        records=tuple(ref for ref in manifest.records if ref.id not in lost),
    )
