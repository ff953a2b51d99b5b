"""Segments as objects of a bucket: each written once, whole, under a name that is its own.

What a run stores is spooled first, in files of the mirror's folder as a local segment's are, and
is safe there. It becomes an object with one conditional put, so that an answer that was lost costs
nothing, and only after that is it indexed; the spool's file goes last. So whatever a crash leaves
is in the spool, and the next run goes on with it. FORMAT.md has the rules. Blocking.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from os.path import lexists
from pathlib import Path
from secrets import token_hex

from storage.errors import DamageFound, os_errors
from storage.layout import SPOOL
from storage.segments.appending import Appender
from storage.segments.blocks import Blocks
from storage.segments.kinds import Recovery, Segments, Span, Wait
from storage.segments.local import LocalSegments
from storage.segments.names import by_writer, is_name, order, place_of, site_and_file
from storage.segments.objects import Objects
from storage.segments.rewriting import leave_out
from storage.segments.source import CHUNK, Source

#: Small objects cost requests: one has 8 MiB, or what 30 s bring (obstore gives a request 30 s, for
#: which 2 Mbit/s are enough). What waits while the bucket can't be reached has to fit on a worker's
#: disk, and a quarter of an hour is more than most of the clouds' failures take.
_WAIT = Wait(bytes=8 << 20, seconds=30.0, most=256 << 20, tries=30)
#: Objects on their way at once: each is in memory.
_AT_ONCE = 4


class BucketSegments(Segments):
    """The segments of a mirror that are objects. State: the blocks held, what was put."""

    def __init__(self, root: Path, url: str) -> None:
        """``url``: as mirror.json has it. Raises BadPlace, MissingExtra."""
        super().__init__(root)
        self.objects = Objects(url)
        self._spool = LocalSegments(root, SPOOL)
        self._blocks = Blocks(self.objects)
        self._put_before: set[str] = set()

    # reading

    def names(self, site: str | None = None) -> list[str]:
        """List every segment there is, in order; of one site where it is given."""
        below = "" if site is None else f"{site}/"
        found = {name: size for name, size in self.objects.sizes(below).items() if is_name(name)}
        self._blocks.know(found)
        return sorted(found, key=order)

    def size(self, name: str) -> int | None:
        """Return the bytes a segment has, None where there is none of that name."""
        if self._is_spooled(name):
            return self._spool.size(name)
        return self._blocks.size(name)

    def source(self, name: str) -> Source:
        """Open a segment for reading; a context manager. Raises ValueError: no segment's name."""
        if self._is_spooled(name):
            return self._spool.source(name)
        return ObjectSource(self._blocks, name)

    def _is_spooled(self, name: str) -> bool:
        return lexists(self._spool.path(name))

    def are_there(self) -> bool:
        """Tell whether there is any segment."""
        return self.objects.are_there()

    def are_others(self, known: Collection[str]) -> bool:  # noqa: ARG002  - another place's word
        """Say no: asking costs a request each time, and who reads a missing one is told."""
        return False

    def close(self) -> None:
        """Let go of the blocks that are held."""
        self._blocks = Blocks(self.objects)

    # writing

    @property
    def wait(self) -> Wait:
        """How long what is spooled may wait to become objects."""
        return _WAIT

    def appender(
        self,
        *,
        started_at: datetime,
        resume: Mapping[str, int],  # noqa: ARG002  - an object is written once
        segment_bytes: int,
    ) -> Appender:
        """Return what a run that began then appends with: to the spool, on no older segment."""
        return Appender(
            self._spool.folder,
            self._spool.names,
            naming=by_writer(started_at, token_hex(4)),
            started_at=started_at,
            resume={},
            once=True,
            segment_bytes=segment_bytes,
        )

    def publish(self, names: Collection[str]) -> None:
        """Make objects of spooled segments. Raises SegmentsAway: the same again does no harm."""
        with ThreadPoolExecutor(_AT_ONCE, "slugline-upload") as pool:
            list(pool.map(self._put, [name for name in names if name not in self._put_before]))

    def _put(self, name: str) -> None:
        self.objects.create(name, self._spool.path(name))
        self._put_before.add(name)

    def settled(self, names: Collection[str]) -> None:
        """Empty the spool of these segments: the bucket has them, and the index."""
        self._put_before.difference_update(names)
        with os_errors("emptying the spool"):
            for path in map(self._spool.path, names):
                path.unlink(missing_ok=True)
                with suppress(OSError):  # others of the site may wait
                    path.parent.rmdir()

    # after a crash

    @property
    def shared(self) -> bool:
        """Other machines may write the same archive."""
        return True

    def unsettled(self, known: Collection[str]) -> list[str]:
        """Name what is in the spool and not in the index, and let go of what is in both."""
        spooled = self._spool.names()
        self.settled([name for name in spooled if name in known])
        return [name for name in spooled if name not in known]

    def recover(self, name: str, committed: int) -> Recovery:
        """Bring a spooled segment to order; see Segments."""
        return self._spool.recover(name, committed)

    def without(
        self, name: str, lost: Collection[Span], forgotten: Collection[Span] = ()
    ) -> Recovery:
        """Take groups out of a spooled segment, or out of an object; see Segments.

        What was put of a spooled one is taken back first: the spool has all of it.
        """
        if not self._is_spooled(name):
            return leave_out(self, name, lost, forgotten)
        self.objects.delete(name)
        self._blocks.drop(name)
        return self._spool.without(name, lost, forgotten)

    def sweep(self) -> None:
        """Remove what a killed rewriting left in the spool."""
        self._spool.sweep()

    # rewriting

    def aside(self, name: str) -> Path:
        """Return the spool's file that what is to stand in a segment's place is written to."""
        part = self._spool.aside(name)
        with os_errors(f"making {part.parent}"):
            part.parent.mkdir(parents=True, exist_ok=True)
        return part

    def put_in_place(self, name: str, part: Path | None) -> None:
        """Put the file ``part`` in an object's place; None: there is to be none any more."""
        site_and_file(name)
        self._blocks.drop(name)
        if part is None:
            self.objects.delete(name)
            return
        self.objects.replace(name, part)
        with os_errors("emptying the spool"):
            part.unlink()
            with suppress(OSError):
                part.parent.rmdir()


class ObjectSource(Source):
    """An object, read through the blocks that are held. State: its size, once somebody asked."""

    def __init__(self, blocks: Blocks, name: str) -> None:
        super().__init__(name)
        self._blocks = blocks
        self._size: int | None = None

    @property
    def size(self) -> int:
        """The object's bytes."""
        if self._size is None:
            self._size = self._blocks.size(self.name)
        if self._size is None:
            raise DamageFound(place_of(self.name), "the object is not there")
        return self._size

    def close(self) -> None:
        """Do nothing: the blocks are others' too."""

    def chunks(self, offset: int, length: int, step: int = CHUNK) -> Iterator[bytes]:
        """Give the bytes from ``offset`` on, ``step`` at a time or fewer, ``length`` at most."""
        if offset < 0:
            raise self.damage(offset, "no byte stands there")
        end = offset + length
        if self._size is not None:
            end = min(end, self._size)
        while offset < end:
            data = self._blocks.some(self.name, offset, min(step, end - offset))
            if not data:
                return
            yield data
            offset += len(data)
