"""Export: the tree of plain files, made again anywhere or brought up to date where it stands.

Names come from the manifests, so every rebuild gives the same tree. What is there already with
the same bytes is left as it is; nothing is removed.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from msgspec import Struct

from storage.archive import Archive
from storage.files import is_file_name
from storage.layout import FILES
from storage.lock import WriterLock
from storage.plain_files import Tree


class ExportedFiles(Struct, frozen=True, kw_only=True):
    """How many files the tree has now, of how many bytes, from how many snapshots."""

    files: int
    bytes: int
    snapshots: int


def export_files(
    archive: Archive,
    out: Path,
    now: datetime,
    *,
    site: str | None = None,
    at: datetime | None = None,
    since: datetime | None = None,
    canonicals: bool = False,
    private: bool = False,
) -> ExportedFiles:
    """Write every format's newest bytes under ``out``, decoded, and say how many.

    As of ``at``; ``since``, ``canonicals`` and ``private`` as in export_jsonl. Where ``out`` is the
    mirror's own ``files/`` the writer's lock is taken. Raises LockHeld, DamageFound, ReadOnly,
    DiskFull, StoreFailed.
    """
    if out.resolve() == (archive.root / FILES).resolve():
        with WriterLock(archive.root, now), Tree(archive.root / FILES) as tree:
            return _write(archive, tree, site, at, since, canonicals=True, private=True)
    # Somebody else's folder may have a .part of its own: ours has a name that nobody else takes.
    with Tree(out.absolute(), ".slugline.part") as tree:
        return _write(archive, tree, site, at, since, canonicals=canonicals, private=private)


def _write(
    archive: Archive,
    tree: Tree,
    site: str | None,
    at: datetime | None,
    since: datetime | None,
    *,
    canonicals: bool,
    private: bool,
) -> ExportedFiles:
    files = size = snapshots = 0
    # A URL may have been one article's and is another's now: the bytes fetched last are its file's.
    shared = archive.shared_files()
    fetched: dict[str, datetime] = {}
    for newest in archive.newest_all(site, canonicals=canonicals, at=at, since=since):
        done: set[str] = set()
        # A format that the newest snapshot lacks is still there as an earlier one had it.
        for row in reversed(archive.history(newest.site, newest.slug)):
            if row.sequence > newest.sequence or (row.private and not private):
                continue
            manifest = archive.manifest(row)
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
