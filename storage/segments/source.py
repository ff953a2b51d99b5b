"""One segment, open for reading: bounded reads at an offset, never past the end.

Segment bytes are read here, and in storage.segments.bucket where they are objects. Nothing here
knows what the bytes mean. A link, a pipe or a device in a segment file's place is never read: who
gave us the mirror may have put it there.
"""

from __future__ import annotations

import errno
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import DamageFound, from_os_error, os_errors
from storage.segments.names import place_of

#: Bytes read at once where a member's length is not known yet: most manifests fit.
CHUNK = 64 << 10
#: A link is refused, and a pipe does not wait for somebody to write into it.
_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
#: What opening says of what is no segment: a link (POSIX, open), a socket, a folder that is none.
_NO_FILE = {
    errno.ELOOP: "it is a link, and a segment is a file",
    errno.ENXIO: "it is no file",
    errno.ENOENT: "the file is not there",
    errno.ENOTDIR: "the file is not there",
}


class Source(ABC):
    """A context manager over one segment's bytes; ``name`` is the segment's."""

    def __init__(self, name: str) -> None:
        self.name = name

    @property
    @abstractmethod
    def size(self) -> int:
        """The segment's bytes at opening. Raises DamageFound, StoreFailed."""

    @abstractmethod
    def chunks(self, offset: int, length: int, step: int = CHUNK) -> Iterator[bytes]:
        """Give the bytes from ``offset`` on, ``step`` at a time, ``length`` at most."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``. Raises DamageFound where it ends before."""
        data = b"".join(self.chunks(offset, length, max(length, 1)))
        if len(data) != length:
            raise self.damage(offset, f"{length} bytes wanted, and the file has {self.size} in all")
        return data

    def damage(self, offset: int, why: str) -> DamageFound:
        """Make the error that names this segment and the offset."""
        return DamageFound(place_of(self.name, offset), why)


class FileSource(Source):
    """A segment that is a file."""

    def __init__(self, path: Path, name: str) -> None:
        """Open ``path``. Raises DamageFound where it is no file, ArchiveError where it can't be."""
        super().__init__(name)
        with os_errors(f"opening the segment {name}"):
            try:
                self._descriptor = os.open(path, _FLAGS)
            except OSError as error:
                if error.errno not in _NO_FILE:
                    raise
                raise DamageFound(place_of(name), _NO_FILE[error.errno]) from error
            found = os.fstat(self._descriptor)
        self._size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            os.close(self._descriptor)
            raise DamageFound(place_of(name), "it is no file")

    @property
    def size(self) -> int:
        """The file's bytes at opening."""
        return self._size

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def chunks(self, offset: int, length: int, step: int = CHUNK) -> Iterator[bytes]:
        """Give the bytes from ``offset`` on, ``step`` at a time, ``length`` at most."""
        if offset < 0:
            raise self.damage(offset, "no byte stands there")
        end = min(offset + length, self._size)
        while offset < end:
            try:
                data = os.pread(self._descriptor, min(step, end - offset), offset)
            except OSError as error:
                raise from_os_error(error, f"reading the segment {self.name}") from error
            if not data:
                raise self.damage(offset, "the file became shorter while it was read")
            yield data
            offset += len(data)
