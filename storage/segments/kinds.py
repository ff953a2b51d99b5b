"""What every place for segments can do: a mirror's own folder, or a bucket.

Names, sizes and bytes for readers; appending, publishing and rewriting for the one writer of a
mirror. What differs between places is behind these methods, and no caller asks which it has. A
segment is known by its name, as ``wpnews.pro/…-1.warc.gz``. Blocking.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from msgspec import Struct

from storage.errors import DamageFound, os_errors
from storage.layout import LOST, durably, sync_folder
from storage.segments.appending import Appender
from storage.segments.names import place_of
from storage.segments.recovery import Group, Tail, manifest_group, walk
from storage.segments.source import Source
from storage.warc_read import Parsed, RecordError, read_member

#: Bytes copied to lost/ at once: large enough that the disk, not the loop, sets the pace.
_COPY = 1 << 20

#: An offset and a length in bytes.
Span: TypeAlias = tuple[int, int]


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


class Wait(Struct, frozen=True, kw_only=True):
    """How long what is safe may wait before it is visible: until so many bytes, or seconds.

    ``most`` are the bytes that may wait while the place can't be reached, ``tries`` how often it
    is tried, at these seconds' distance, before that ends the run.
    """

    bytes: int = 0
    seconds: float = 0.0
    most: int = 0
    tries: int = 0


class Segments(ABC):
    """The segments of the mirror in folder ``root``."""

    def __init__(self, root: Path) -> None:
        self.root = root

    # reading

    @abstractmethod
    def names(self, site: str | None = None) -> list[str]:
        """List every segment there is, in order; of one site where it is given."""

    @abstractmethod
    def size(self, name: str) -> int | None:
        """Return the bytes a segment has, None where there is none of that name."""

    @abstractmethod
    def source(self, name: str) -> Source:
        """Open a segment for reading; a context manager. Raises ValueError: no segment's name."""

    @abstractmethod
    def are_there(self) -> bool:
        """Tell whether there is any segment."""

    @abstractmethod
    def are_others(self, known: Collection[str]) -> bool:
        """Tell, as far as that costs nothing, whether none of the ``known`` segments is there."""

    @abstractmethod
    def close(self) -> None:
        """Let go of bytes that are held; reading gets them anew."""

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
            raise DamageFound(place_of(name, offset), str(error)) from error

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

    # writing

    @property
    @abstractmethod
    def wait(self) -> Wait:
        """How long what is appended and synced may wait for ``publish``."""

    @abstractmethod
    def appender(
        self, *, started_at: datetime, resume: Mapping[str, int], segment_bytes: int
    ) -> Appender:
        """Return what a run that began then appends with; see Appender."""

    @abstractmethod
    def publish(self, names: Collection[str]) -> None:
        """Put what was appended to these segments where every reader finds it, durably.

        Raises SegmentsAway: some may be there, and the same again does no harm.
        """

    @abstractmethod
    def settled(self, names: Collection[str]) -> None:
        """Take note that the index has all of these segments."""

    # after a crash

    @property
    @abstractmethod
    def shared(self) -> bool:
        """Whether others may have written to the archive what this machine does not know of."""

    @abstractmethod
    def unsettled(self, known: Collection[str]) -> list[str]:
        """Name what recovery has to look at; ``known`` are the segments of the index."""

    @abstractmethod
    def recover(self, name: str, committed: int) -> Recovery:
        """Bring a segment to order after a crash; ``committed`` is the index's length of it.

        Whole groups past it are given back for indexing (durable now), a torn tail goes to lost/.
        Raises DamageFound, having changed nothing.
        """

    @abstractmethod
    def without(
        self, name: str, lost: Collection[Span], forgotten: Collection[Span] = ()
    ) -> Recovery:
        """Take whole groups, not indexed yet, out of a segment; return what is left.

        Those of ``lost`` are kept under lost/, those ``forgotten`` nowhere.
        """

    @abstractmethod
    def sweep(self) -> None:
        """Remove what a killed rewriting left aside: nothing refers to it."""

    def keep(self, source: Source, tail: Tail) -> Path:
        """Copy these bytes to a file under lost/, durably; the same bytes give the same file."""
        site, _, file = source.name.rpartition("/")
        folder = self.root / LOST / site
        part = folder / f".{file}.part"
        sha256 = hashlib.sha256()
        with os_errors(f"keeping what is cut from {source.name}"):
            folder.mkdir(parents=True, exist_ok=True)
            with durably(part) as out:
                for chunk in source.chunks(tail.offset, tail.size, _COPY):
                    sha256.update(chunk)
                    out.write(chunk)
            kept = part.replace(folder / f"{file}.{tail.offset}-{sha256.hexdigest()[:8]}")
            for above in (folder, folder.parent, self.root):
                sync_folder(above)
        return kept

    # rewriting

    @abstractmethod
    def aside(self, name: str) -> Path:
        """Return the file that what is to stand in a segment's place is written to first."""

    @abstractmethod
    def put_in_place(self, name: str, part: Path | None) -> None:
        """Put the file ``part`` in a segment's place, durably; None: there is to be none."""
