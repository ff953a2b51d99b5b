"""One segment file, open for reading: bounded reads at an offset, never past the end.

The only place where segment bytes are read. Nothing here knows what the bytes mean. A link, a
pipe or a device in a segment's place is never read: who gave us the mirror may have put it there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from storage.errors import DamageFound, from_os_error, os_errors

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


class Source:
    """A context manager over one file; ``name`` is the segment's, ``size`` its bytes at opening."""

    def __init__(self, path: Path, name: str) -> None:
        """Open ``path``. Raises DamageFound where it is no file, ArchiveError where it can't be."""
        self.name = name
        with os_errors(f"opening the segment {name}"):
            try:
                self._descriptor = os.open(path, _FLAGS)
            except OSError as error:
                if error.errno not in _NO_FILE:
                    raise
                raise DamageFound(name, _NO_FILE[error.errno]) from error
            found = os.fstat(self._descriptor)
        self.size = found.st_size
        if not stat.S_ISREG(found.st_mode):
            os.close(self._descriptor)
            raise DamageFound(name, "it is no file")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read(self, offset: int, length: int) -> bytes:
        """Exactly ``length`` bytes at ``offset``. Raises DamageFound where the file ends before."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise self.damage(offset, f"{length} bytes wanted, and the file has {self.size} in all")
        return b"".join(self.chunks(offset, length, max(length, 1)))

    def chunks(self, offset: int, length: int, step: int = CHUNK) -> Iterator[bytes]:
        """Give the bytes from ``offset`` on, ``step`` at a time, ``length`` at most."""
        if offset < 0:
            raise self.damage(offset, "no byte stands there")
        end = min(offset + length, self.size)
        while offset < end:
            try:
                data = os.pread(self._descriptor, min(step, end - offset), offset)
            except OSError as error:
                raise from_os_error(error, f"reading the segment {self.name}") from error
            if not data:
                raise self.damage(offset, "the file became shorter while it was read")
            yield data
            offset += len(data)

    def damage(self, offset: int, why: str) -> DamageFound:
        """Make the error that names this file and the offset."""
        return DamageFound(f"{self.name} at byte {offset}", why)
