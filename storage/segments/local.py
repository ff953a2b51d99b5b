"""Segments as files under ``segments/<site>/``: reading them, and mending them after a crash.

Blocking, for the writer's or a reader's thread. Appending is storage.segments.appending's; what
torn and damaged mean is decided in storage.segments.recovery. FORMAT.md has the rules.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import datetime
from os.path import lexists
from pathlib import Path

from storage.errors import os_errors
from storage.layout import SEGMENTS, has_segments, sync_folder
from storage.segments.appending import SEGMENT_BYTES, Appender
from storage.segments.kinds import Recovery, Segments, Span, Wait
from storage.segments.names import SUFFIX, by_number, order, site_and_file
from storage.segments.recovery import Group, Tail
from storage.segments.rewriting import leave_out
from storage.segments.source import FileSource

_PART = ".part"


class LocalSegments(Segments):
    """The segments that are files below ``folder`` of the mirror ``root``; holds no open file."""

    def __init__(self, root: Path, folder: str = SEGMENTS) -> None:
        super().__init__(root)
        self.folder = root / folder

    def names(self, site: str | None = None) -> list[str]:
        """List every segment there is, in ``order``; of one site where it is given."""
        with os_errors("listing the segments"):
            found = self.folder.glob(f"*/*{SUFFIX}")
            names = [path.relative_to(self.folder).as_posix() for path in found]
        return sorted((n for n in names if site in {None, n.rpartition("/")[0]}), key=order)

    def path(self, name: str) -> Path:
        """Return the file of a segment. Raises ValueError for a name that leaves the folder."""
        site, file = site_and_file(name)
        return self.folder / site / file

    def source(self, name: str) -> FileSource:
        """Open a segment for reading; a context manager."""
        return FileSource(self.path(name), name)

    def size(self, name: str) -> int | None:
        """Return the bytes a segment has, None where there is no such file."""
        with os_errors(f"looking at the segment {name}"):
            try:
                return self.path(name).stat().st_size
            except FileNotFoundError:
                return None

    def are_there(self) -> bool:
        """Tell whether any segment file is there."""
        return has_segments(self.folder)

    def are_others(self, known: Collection[str]) -> bool:
        """Tell whether none of the ``known`` segments is there, whatever stands in its place."""
        return bool(known) and not any(lexists(self.folder / name) for name in known)

    def close(self) -> None:
        """Do nothing: none are held."""

    @property
    def wait(self) -> Wait:
        """Nothing waits: what stands in the file is where readers look."""
        return Wait()

    def appender(
        self,
        *,
        started_at: datetime,
        resume: Mapping[str, int],
        segment_bytes: int = SEGMENT_BYTES,
    ) -> Appender:
        """Return what a run that began then appends with."""
        return Appender(
            self.folder,
            self.names,
            naming=by_number(started_at),
            started_at=started_at,
            resume=resume,
            segment_bytes=segment_bytes,
        )

    def publish(self, names: Collection[str]) -> None:
        """Do nothing: it is where readers look."""

    def settled(self, names: Collection[str]) -> None:
        """Do nothing: it stays where it is."""

    @property
    def shared(self) -> bool:
        """One machine writes a folder."""
        return False

    def unsettled(self, known: Collection[str]) -> list[str]:
        """Name every segment, of the folder and of the index: nobody else changes them."""
        return sorted({*self.names(), *known})

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

    def without(
        self, name: str, lost: Collection[Span], forgotten: Collection[Span] = ()
    ) -> Recovery:
        """Take whole groups, not indexed yet, out of a segment; see Segments."""
        return leave_out(self, name, lost, forgotten)

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

    def _make_durable(self, name: str) -> None:
        """Sync what a killed run wrote: the index must not know of it before the disk does."""
        path = self.path(name)
        with os_errors(f"syncing the segment {name}"):
            sync_file(path)
            for above in (path.parent, self.folder, self.root):
                sync_folder(above)

    def aside(self, name: str) -> Path:
        """Return the file beside a segment that the next one in its place is written to."""
        path = self.path(name)
        return path.with_name(f".{path.name}{_PART}")

    def put_in_place(self, name: str, part: Path | None) -> None:
        """Put ``part`` in a segment's place, durably; None: there is to be none any more."""
        path = self.path(name)
        with os_errors(f"replacing the segment {name}"):
            if part is None:
                path.unlink(missing_ok=True)
            else:
                part.replace(path)
            for above in (path.parent, self.folder, self.root):
                sync_folder(above)

    def sweep(self) -> None:
        """Remove what a killed rewriting left beside the segments: nothing refers to it."""
        with os_errors("removing unfinished segments"):
            for part in self.folder.glob(f"*/.*{_PART}"):
                part.unlink()


def sync_file(path: Path) -> None:
    """Make a file's bytes durable. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
