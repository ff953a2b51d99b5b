"""Export: the tree of plain files, made again anywhere or brought up to date where it stands.

Names come from the manifests, so every rebuild gives the same tree. What is there already with
the same bytes is left as it is; nothing is removed. The tree may be a folder, a tar stream or
objects in a bucket.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Protocol

from msgspec import Struct, structs

from storage.archive import Archive
from storage.export.choosing import EVERYTHING, Chosen, taken
from storage.files import is_file_name
from storage.layout import FILES
from storage.lock import WriterLock
from storage.plain_files import Tree


class ExportedFiles(Struct, frozen=True, kw_only=True):
    """How many files the tree has now, of how many bytes, from how many snapshots."""

    files: int
    bytes: int
    snapshots: int


class Destination(Protocol):
    """Where files are put; a later one of a name replaces the earlier one."""

    def write(self, name: str, body: bytes, fetched_at: datetime) -> None:
        """Put ``body`` at the relative path ``name``, dated ``fetched_at``, whole or not at all."""


def export_files(
    archive: Archive, out: Path, now: datetime, chosen: Chosen = EVERYTHING
) -> ExportedFiles:
    """Write every format's newest bytes under ``out``, decoded, and say how many.

    Where ``out`` is the mirror's own ``files/`` the writer's lock is taken, and private articles
    and captured originals are in it, as runs put them there. Raises BadPlace, LockHeld,
    DamageFound, ReadOnly, DiskFull, StoreFailed.
    """
    if out.resolve() == (archive.root / FILES).resolve():
        own = structs.replace(chosen, canonicals=True, private=True)
        with WriterLock(archive.root, now), Tree(archive.root / FILES) as tree:
            return write_files(archive, tree, own)
    # Somebody else's folder may have a .part of its own: ours has a name that nobody else takes.
    with Tree(out.absolute(), ".slugline.part") as tree:
        return write_files(archive, tree, chosen)


def write_files(archive: Archive, tree: Destination, chosen: Chosen) -> ExportedFiles:
    """Put every format's newest bytes in their places. Raises as the place and DamageFound."""
    files = size = snapshots = 0
    # A URL may have been one article's and is another's now: the bytes fetched last are its file's.
    shared = archive.shared_files()
    fetched: dict[str, datetime] = {}
    for newest in taken(archive, chosen, text=False):
        done: set[str] = set()
        # A format that the newest snapshot lacks is still there as an earlier one had it.
        for row in reversed(archive.history(newest.row.site, newest.row.slug)):
            if row.sequence > newest.row.sequence:
                continue
            same = row.id == newest.row.id
            manifest = newest.manifest if same else archive.manifest(row, text=False)
            if not chosen.admits(manifest):
                continue
            kept = (r for r in manifest.representations if r.record_id and is_file_name(r.file))
            owed = [r for r in kept if r.file not in done]
            for one in owed:
                done.add(one.file)
                if one.file in shared and fetched.get(one.file, one.fetched_at) > one.fetched_at:
                    continue
                body = archive.body(manifest, one.format).decoded
                tree.write(one.file, body, one.fetched_at)
                files += one.file not in fetched
                size += len(body)
                if one.file in shared:
                    fetched[one.file] = one.fetched_at
            snapshots += bool(owed)
    return ExportedFiles(files=files, bytes=size, snapshots=snapshots)
