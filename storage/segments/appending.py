"""Appending groups to segments: one write and one sync a segment and batch.

Blocking, for the one writer thread. Between two syncs everything may be taken back; after a
sync that failed nothing is written any more, for what the disk then holds nobody knows.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from storage.codings import BytesLike
from storage.errors import ArchiveError, StoreFailed, os_errors
from storage.layout import sync_folder
from storage.segments.names import Naming, site_and_file, stamp_of, started_of
from storage.warc import build_warcinfo, new_record_id

#: Bytes at which a segment closes: 1 GiB is web archives' own custom.
SEGMENT_BYTES = 1 << 30
#: Groups in one write: POSIX promises room for 16 pieces, and the systems in use have 1,024.
_PIECES = 256
_MONTH = len("YYYYMM")


class Appended(Struct, frozen=True, kw_only=True):
    """Where a group was put: the segment, and its offset and length there."""

    segment: str
    offset: int
    length: int


class Appender:
    """Writes groups to segment files in a folder, one segment a site at a time."""

    def __init__(
        self,
        folder: Path,
        names: Callable[[str], Sequence[str]],
        *,
        naming: Naming,
        started_at: datetime,
        resume: Mapping[str, int],
        once: bool = False,
        software: str = "slugline",
        segment_bytes: int = SEGMENT_BYTES,
    ) -> None:
        """Write nothing yet: ``started_at`` is the run's start, and ``naming`` names new segments.

        ``names`` lists a site's. ``resume`` are the segments that may be written on, with their
        committed lengths: those of the index whose recovery was clean. Any other one is left as it
        is. ``once``: ``seal`` ends segments, for what is done with them then is done once.
        """
        self._folder = folder
        self._names = names
        self._naming = naming
        self._once = once
        self._started = started_at.astimezone(UTC)
        self._resume = dict(resume)
        self._software = software
        self._segment_bytes = segment_bytes
        # Mutable: the files open, each site's current one among them, and why no more is written.
        self._files: list[_File] = []
        self._current: dict[str, _File] = {}
        self._failed: str | None = None

    def append(self, site: str, groups: Sequence[bytes]) -> list[Appended]:
        """Write whole groups, in order, and say where each stands; safe after ``sync`` only.

        Raises ArchiveError (DiskFull among them): then nothing since the last sync stands.
        """
        self._check()
        if not groups:
            return []
        try:
            with os_errors(f"writing the segments of {site}"):
                return self._append(site, groups)
        except BaseException:
            self.abandon()
            raise

    def sync(self) -> dict[str, int]:
        """Make everything appended durable, and give the new committed length of each segment.

        Raises StoreFailed: after that this appender writes nothing any more.
        """
        self._check()
        written = [file for file in self._files if file.length > file.synced]
        try:
            with os_errors("syncing the segments"):
                for file in written:
                    file.sync()
                self._sync_folders([file.path.parent for file in written if file.made])
        except ArchiveError as error:
            self._failed = f"the disk did not keep what was written: {error}"
            raise StoreFailed(self._failed) from error
        for file in written:
            file.synced, file.made = file.length, False
        self._close([file for file in self._files if file not in self._current.values()])
        return {file.name: file.length for file in written}

    def abandon(self) -> None:
        """Cut back what was appended since the last sync; where that fails, write no more."""
        if self._failed is not None:
            return
        try:
            with os_errors("cutting a segment back"):
                for file in self._files:
                    file.cut_back()
        except ArchiveError as error:
            self._failed = f"an unfinished write could not be cut back: {error}"
            raise StoreFailed(self._failed) from error
        self._close([file for file in self._files if not file.synced])

    def seal(self) -> None:
        """Write no more on the segments so far, where a segment is written once."""
        if self._once:
            self._close(list(self._files))

    def close(self) -> None:
        """Cut back what is not synced, and close every file."""
        try:
            self.abandon()
        finally:
            self._close(list(self._files))
            self._failed = self._failed or "the appender is closed"

    def _check(self) -> None:
        if self._failed is not None:
            raise StoreFailed(self._failed)

    def _append(self, site: str, groups: Sequence[bytes]) -> list[Appended]:
        places: list[Appended] = []
        waiting: list[bytes] = []
        file = self._current.get(site) or self._begin(site)
        offset = file.length
        for group in groups:
            # A group that is larger than a segment still goes into one, alone.
            if offset + len(group) > self._segment_bytes and offset > file.opening:
                file.write(waiting)
                waiting = []
                file = self._new(site)
                offset = file.length
            places.append(Appended(segment=file.name, offset=offset, length=len(group)))
            waiting.append(group)
            offset += len(group)
        file.write(waiting)
        return places

    def _begin(self, site: str) -> _File:
        """Go on with the site's newest segment where that is allowed, else make one."""
        newest = next(reversed(self._names(site)), None)
        if newest is None or newest not in self._resume:
            return self._new(site)
        length = self._resume[newest]
        this_month = stamp_of(self._started)[:_MONTH]
        if length >= self._segment_bytes or started_of(newest)[:_MONTH] != this_month:
            return self._new(site)
        path = self._path(newest)
        if length != path.stat().st_size:
            return self._new(site)
        return self._opened(site, _File.resumed(path, newest, length))

    def _path(self, name: str) -> Path:
        return self._folder.joinpath(*site_and_file(name))

    def _new(self, site: str) -> _File:
        for name in self._naming(site):
            path = self._path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            warcinfo = build_warcinfo(
                record_id=new_record_id(),
                created_at=self._started,
                filename=path.name,
                site=site,
                software=self._software,
            )
            try:
                return self._opened(site, _File.created(path, name, warcinfo))
            except FileExistsError:
                continue
        raise AssertionError("the numbers of segments do not end")

    def _opened(self, site: str, file: _File) -> _File:
        self._files.append(file)
        self._current[site] = file
        return file

    def _sync_folders(self, folders: Sequence[Path]) -> None:
        """Make the names of new files durable, up to the mirror's own folder."""
        above = {self._folder, self._folder.parent} if folders else set()
        for folder in sorted({*folders, *above}, reverse=True):
            sync_folder(folder)

    def _close(self, files: Sequence[_File]) -> None:
        for file in files:
            file.close()
            self._files.remove(file)
        self._current = {site: file for site, file in self._current.items() if file not in files}


def rest_of(pieces: Sequence[BytesLike], written: int) -> Sequence[BytesLike]:
    """Return what is left of some pieces after so many bytes of them."""
    for number, piece in enumerate(pieces):
        if written < len(piece):
            return (memoryview(piece)[written:], *pieces[number + 1 :])
        written -= len(piece)
    return ()


class _File:
    """A segment being written: ``synced`` of its ``length`` bytes are safe, ``made`` if new.

    ``opening`` is the warcinfo's length, and ``head`` that record until the first write takes it
    along: a segment is never a warcinfo alone.
    """

    def __init__(self, path: Path, name: str, flags: int, length: int, head: bytes) -> None:
        self.path = path
        self.name = name
        # Mutable: how far the file reaches, and how much of it is safe.
        self.synced = length
        self.length = length + len(head)
        self.opening = len(head)
        self.made = bool(head)
        self._head = head
        self._descriptor = os.open(path, flags | os.O_WRONLY | os.O_CLOEXEC, 0o644)

    @classmethod
    def created(cls, path: Path, name: str, warcinfo: bytes) -> _File:
        """Make the file; FileExistsError where it is there."""
        return cls(path, name, os.O_CREAT | os.O_EXCL, 0, warcinfo)

    @classmethod
    def resumed(cls, path: Path, name: str, length: int) -> _File:
        """Go on with a file of ``length`` safe bytes."""
        return cls(path, name, 0, length, b"")

    def write(self, groups: Sequence[bytes]) -> None:
        """Append the groups. Raises OSError; ``cut_back`` then mends a short write."""
        pieces = (self._head, *groups)
        offset = self.length - len(self._head)
        self.length = offset + sum(map(len, pieces))
        self._head = b""
        for start in range(0, len(pieces), _PIECES):
            left: Sequence[BytesLike] = pieces[start : start + _PIECES]
            while left:
                written = os.pwritev(self._descriptor, left, offset)
                offset += written
                left = rest_of(left, written)

    def sync(self) -> None:
        """Make the bytes durable, and the length with them."""
        if hasattr(fcntl, "F_FULLFSYNC"):  # macOS: fsync stops at the drive's own cache
            fcntl.fcntl(self._descriptor, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(self._descriptor)

    def cut_back(self) -> None:
        """Take back what is not synced; a file that never was is removed."""
        if self.synced == 0:
            self.path.unlink()
        elif self.length > self.synced:
            os.ftruncate(self._descriptor, self.synced)
        self.length = self.synced

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)
