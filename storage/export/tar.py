"""A tree of files as a tar stream (POSIX pax): what a pipe takes where a folder is not wanted."""

from __future__ import annotations

import io
import tarfile
from datetime import datetime
from types import TracebackType
from typing import BinaryIO, Self

from storage.files import is_safe

#: Readable by everyone, as a folder of published files is.
_MODE = 0o644


class Tarred:
    """A context manager that writes files to a stream one after the other. State: the stream."""

    def __init__(self, out: BinaryIO) -> None:
        self._tar = tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT)  # noqa: SIM115  - closed with this object

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Without its end a tar is seen to be cut short: so is one that an error ended.
        if kind is None:
            self._tar.close()

    def write(self, name: str, body: bytes, fetched_at: datetime) -> None:
        """Put ``body`` at ``name``. Raises ValueError for a name that leaves the tree, OSError."""
        if not is_safe(name):
            raise ValueError(f"{name!r} is no name for a file in a tar")
        member = tarfile.TarInfo(name)
        member.size = len(body)
        member.mtime = int(fetched_at.timestamp())
        member.mode = _MODE
        self._tar.addfile(member, io.BytesIO(body))
        # It remembers every member, and nobody asks.
        self._tar.members.clear()  # type: ignore[attr-defined]  # its stub leaves it out
