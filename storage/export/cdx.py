"""An index of WARC records as replay tools want it: CDXJ, sorted, in blocks of gzip.

A line a record: its SURT, 14 digits of time, JSON. ``index.cdx.gz`` has some hundred lines a gzip
member, and ``index.idx`` the first key of each with its place, so that a reader fetches one block.
Lines are sorted on disk: there may be more of them than memory has room for.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from tempfile import TemporaryFile
from types import TracebackType
from typing import BinaryIO, Protocol, Self

import msgspec
from isal import igzip

from storage.surt import surt
from storage.times import parse_rfc3339
from storage.warc_read import Parsed

#: Lines of one block, as the indexes of py-wacz have them.
BLOCK = 300
#: Lines sorted at once, some 40 MB; each lot is an open file until all are merged.
LOT = 100_000

_MIME_ENDS = re.compile(r"[;\s]")


class Writes(Protocol):
    """What takes bytes."""

    def write(self, data: bytes, /) -> object:
        """Take ``data``."""


def cdx_line(answer: Parsed, *, offset: int, length: int, filename: str) -> bytes:
    """Return a record's line; ``offset`` and ``length`` are its member's in the file."""
    head = answer.head
    stamp = parse_rfc3339(head.date)
    when = stamp.at.strftime("%Y%m%d%H%M%S") if stamp else "0" * 14
    told = (value for name, value in answer.headers if name.lower() == "content-type")
    fields: dict[str, str] = {"url": head.target_uri}
    if head.type == "revisit":
        fields["mime"] = "warc/revisit"
    elif mime := _MIME_ENDS.split(next(told, ""), maxsplit=1)[0]:
        fields["mime"] = mime.encode("utf-8", "replace").decode()
    fields |= {
        "status": str(answer.status),
        "digest": head.payload_digest,
        "length": str(length),
        "offset": str(offset),
        "filename": filename,
    }
    return f"{surt(head.target_uri)} {when} ".encode() + msgspec.json.encode(fields) + b"\n"


class Sorter:
    """A context manager that takes lines and gives them back in order. State: one lot, files."""

    def __init__(self, lot: int = LOT) -> None:
        self._size = lot
        self._lot: list[bytes] = []
        self._files: list[BinaryIO] = []
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def add(self, line: bytes) -> None:
        """Take a line, its end included. Raises OSError as temporary files do."""
        self._lot.append(line)
        if len(self._lot) >= self._size:
            file = self._stack.enter_context(TemporaryFile())  # noqa: SIM115  - closed with this object
            file.writelines(sorted(self._lot))
            self._files.append(file)
            self._lot = []

    def in_order(self) -> Iterator[bytes]:
        """Give all lines back, byte by byte in order."""
        for file in self._files:
            file.seek(0)
        return heapq.merge(*self._files, sorted(self._lot))


def write_blocks(lines: Iterable[bytes], out: Writes, name: str) -> Iterator[bytes]:
    """Write sorted lines to ``out`` as a file called ``name``, and give the lines of its idx."""
    meta = {"format": "cdxj-gzip-1.0", "filename": name}
    yield b"!meta 0 " + msgspec.json.encode(meta) + b"\n"
    at = 0
    for block in _blocks(lines):
        packed = igzip.compress(b"".join(block), mtime=0)
        out.write(packed)
        place = {
            "offset": at,
            "length": len(packed),
            "digest": f"sha256:{sha256(packed).hexdigest()}",
        }
        key = b" ".join(block[0].split(b" ", 2)[:2])
        yield key + b" " + msgspec.json.encode(place) + b"\n"
        at += len(packed)


def _blocks(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    block: list[bytes] = []
    for line in lines:
        block.append(line)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block
