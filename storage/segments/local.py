"""Segments as files under ``segments/<site>/``: reading them, and mending them after a crash.

A segment is known by its name relative to ``segments/``, as ``wpnews.pro/…-1.warc.gz``. Blocking,
for the writer's or a reader's thread. Appending is storage.segments.appending's; what torn and
damaged mean is decided in storage.segments.recovery. FORMAT.md has the rules.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from storage.errors import DamageFound, os_errors
from storage.layout import LOST, SEGMENTS, sync_folder
from storage.segments.recovery import Group, Tail, manifest_group, walk
from storage.segments.source import Source
from storage.warc_read import Parsed, RecordError, read_member

SUFFIX = ".warc.gz"
#: Bytes copied to lost/ at once: large enough that the disk, not the loop, sets the pace.
_COPY = 1 << 20
#: A segment's file name: when its run began (UTC), and which of that run's it is.
_NAME = re.compile(r"(?P<started>\d{8}T\d{12}Z)-(?P<number>\d{1,9})\.warc\.gz")


class Recovery(Struct, frozen=True, kw_only=True):
    """What mending one segment found: the groups to be indexed, and what was cut.

    ``length`` is the segment's length now, 0 where no whole group was in it and it was removed.
    ``from_start``: the file was shorter than its index believed, so ``groups`` are all that it
    holds, and its rows in the index are void. ``lost`` is the file under lost/ with the bytes cut.
    """

    segment: str
    groups: tuple[Group, ...]
    length: int
    from_start: bool = False
    lost: Path | None = None
    lost_bytes: int = 0

    @property
    def clean(self) -> bool:
        """True where the segment was as the index knew it: only then may it be written on."""
        return not (self.groups or self.lost or self.from_start)


def order(name: str) -> tuple[str, str, int, str]:
    """Sort segments by it: by site, then in the order of their making."""
    site, _, file = name.rpartition("/")
    parsed = _NAME.fullmatch(file)
    if parsed is None:
        return (site, "", 0, file)
    return (site, parsed["started"], int(parsed["number"]), file)


def started_of(name: str) -> str:
    """Return the moment in a segment's name, as ``20261123T015700123456Z``; "" in a foreign one."""
    return order(name)[1]


def check_name(name: object) -> None:
    """Raise ValueError for what is no site's folder and a file in it."""
    site, slash, file = name.partition("/") if isinstance(name, str) else ("", "", "")
    if not slash or {site, file} & {"", ".", ".."} or "/" in file or "\0" in file + site:
        raise ValueError(f"no segment's name: {name!r}")


class LocalSegments:
    """The segments of the mirror in folder ``root``; holds no open file."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / SEGMENTS

    def names(self, site: str | None = None) -> list[str]:
        """List every segment there is, in ``order``; of one site where it is given."""
        with os_errors("listing the segments"):
            found = self.folder.glob(f"*/*{SUFFIX}")
            names = [path.relative_to(self.folder).as_posix() for path in found]
        return sorted((n for n in names if site in {None, n.rpartition("/")[0]}), key=order)

    def path(self, name: str) -> Path:
        """Return the file of a segment. Raises ValueError for a name that leaves the folder."""
        check_name(name)
        return self.folder / name

    def source(self, name: str) -> Source:
        """Open a segment for reading; a context manager."""
        return Source(self.path(name), name)

    def size(self, name: str) -> int | None:
        """Return the bytes a segment has, None where there is no such file."""
        with os_errors(f"looking at the segment {name}"):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def read(self, name: str, offset: int, length: int) -> bytes:
        """Read exactly ``length`` bytes. Raises DamageFound where they are not all there."""
        with self.source(name) as source:
            return source.read(offset, length)

    def record(self, name: str, offset: int, length: int, *, verify: bool = True) -> Parsed:
        """Read the record whose member is ``length`` bytes at ``offset``, its digests checked.

        Raises DamageFound where no such record is there.
        """
        try:
            return read_member(self.read(name, offset, length), verify=verify)
        except RecordError as error:
            raise DamageFound(f"{name} at byte {offset}", str(error)) from error

    def manifest(self, name: str, offset: int) -> Group:
        """Read the manifest at ``offset``; its group's records are not looked at.

        Raises DamageFound where there is none.
        """
        with self.source(name) as source:
            return manifest_group(source, offset)

    def walk(self, name: str, start: int = 0, *, skim: bool = False) -> Iterator[Group | Tail]:
        """Give every whole group from ``start`` on, then one Tail; see recovery.walk."""
        with self.source(name) as source:
            yield from walk(source, start, skim=skim)

    def recover(self, name: str, committed: int) -> Recovery:
        """Bring a segment to order after a crash; ``committed`` is the index's length of it.

        Whole groups past it are given back for indexing (durable now), a torn tail goes to lost/.
        A file shorter than ``committed`` is read from its start. Raises DamageFound, having
        changed nothing.
        """
        size = self.size(name)
        if size == committed:
            return Recovery(segment=name, groups=(), length=committed)
        if size is None:
            return Recovery(segment=name, groups=(), length=0, from_start=True)
        start = 0 if size < committed else committed
        *groups, tail = self.walk(name, start)
        if not isinstance(tail, Tail):
            raise TypeError("a walk ends in a Tail")
        lost = self.cut(name, tail)
        if lost is None:
            self._make_durable(name)
        return Recovery(
            segment=name,
            groups=tuple(group for group in groups if isinstance(group, Group)),
            length=tail.offset,
            from_start=size < committed,
            lost=lost,
            lost_bytes=tail.size,
        )

    def cut(self, name: str, tail: Tail) -> Path | None:
        """Move a torn tail to lost/, durably, and return the file there; None where none is torn.

        A segment without one whole group goes there altogether.
        """
        if tail.size == 0 and tail.offset > 0:
            return None
        path = self.path(name)
        with self.source(name) as source:
            lost = self.keep(source, tail)
        with os_errors(f"cutting the segment {name}"):
            if tail.offset == 0:
                path.unlink()
                sync_folder(path.parent)
            else:
                os.truncate(path, tail.offset)
                sync_file(path)
        return lost

    def keep(self, source: Source, tail: Tail) -> Path:
        """Copy these bytes to a file under lost/, durably; the same bytes give the same file."""
        site, _, file = source.name.rpartition("/")
        folder = self.root / LOST / site
        part = folder / f".{file}.part"
        sha256 = hashlib.sha256()
        with os_errors(f"keeping what is cut from {source.name}"):
            folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as out:
                for chunk in source.chunks(tail.offset, tail.size, _COPY):
                    sha256.update(chunk)
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            kept = part.replace(folder / f"{file}.{tail.offset}-{sha256.hexdigest()[:8]}")
            for above in (folder, folder.parent, self.root):
                sync_folder(above)
        return kept

    def _make_durable(self, name: str) -> None:
        """Sync what a killed run wrote: the index must not know of it before the disk does."""
        path = self.path(name)
        with os_errors(f"syncing the segment {name}"):
            sync_file(path)
            for above in (path.parent, self.folder, self.root):
                sync_folder(above)


def sync_file(path: Path) -> None:
    """Make a file's bytes durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
