"""HTTP content codings, undone: gzip, x-gzip, deflate, br and zstd (RFC 9110 section 8.4.1).

Pure: bytes in, bytes out. Every step is bounded while it streams, because a coding is
the cheapest way to send a large body in a small one. Stacked codings ("gzip, br") are
undone last first. RFC 1952 is gzip, RFC 1950 and 1951 deflate, RFC 7932 br, RFC 8878
zstd, with the window RFC 9659 allows on the web.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

import brotli
import zstandard
from isal import igzip_lib

BytesLike: TypeAlias = bytes | bytearray | memoryview | mmap.mmap
Problem: TypeAlias = Literal["unknown", "corrupt", "cut short", "past the limit"]

#: Codings in one Content-Encoding; honest servers stack one, curl too stops at five.
MAX_CODINGS = 5
#: gzip members or zstd frames in one body: 1 GiB of bgzip blocks; tiny members cost time each.
MAX_MEMBERS = 16_384
#: Bytes of window a zstd frame may ask for: RFC 9659's 8 MB, for the "zstd" coding.
ZSTD_WINDOW = 8 << 20
#: Bytes given to zlib-like decoders at once: what is left over is copied once a member.
_CHUNK = 16 << 10
#: Bytes at the end of a gzip member that hold its decoded size, modulo 2^32.
_SIZE_FIELD = 4
#: Bytes given to zstd at once: it takes no output bound, and 4 bytes may stand for 128 KiB.
_ZSTD_CHUNK = 1 << 10


class CodingError(ValueError):
    """A body that its content coding does not decode; ``problem`` says in which way."""

    def __init__(self, coding: str, problem: Problem, detail: str = "") -> None:
        """Name the coding as it was sent and what is wrong."""
        super().__init__(f"content coding {coding!r}: {problem}{detail and f' ({detail})'}")
        self.coding = coding
        self.problem: Problem = problem


class _Decoder(Protocol):
    """What igzip and zstd decoders share; each is good for one member or frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


_Feed: TypeAlias = Callable[[memoryview, int], bytes]
#: What isal raises over bytes that are no deflate data; its stub calls the class an instance.
IsalError: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # see above


def decode(body: BytesLike, coding: str, limit: int) -> bytes:
    """Undo every coding named in a Content-Encoding value.

    In: the stored body, the field's value ("" and "identity" mean none), and the most bytes
    any layer may decode to. Out: the decoded bytes. Raises CodingError.
    """
    if coding == "gzip":
        return _gunzip(memoryview(body), coding, limit)
    names = [name for part in coding.split(",") if (name := part.strip().lower())]
    names = [name for name in names if name != "identity"]
    if len(names) > MAX_CODINGS:
        raise CodingError(coding[:80], "past the limit", f"{len(names)} codings")
    if len(body) > limit and not names:
        raise CodingError("identity", "past the limit", f"{limit} bytes")
    decoded: BytesLike = body
    for name in reversed(names):
        undo = _CODINGS.get(name)
        if undo is None:
            raise CodingError(name[:80], "unknown")
        decoded = undo(memoryview(decoded), name, limit)
    return decoded if isinstance(decoded, bytes) else bytes(decoded)


def _gunzip(body: memoryview, name: str, limit: int) -> bytes:
    """Decode gzip: in one call where the body is one member, as it nearly always is.

    That member ends with its own size (RFC 1952 section 2.3.1), which is room enough, and a third
    of the time of room for ``limit`` bytes; what doesn't fit is decoded again, step by step.
    """
    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    room = min(int.from_bytes(body[-_SIZE_FIELD:], "little"), limit)
    try:
        whole: bytes = decoder.decompress(body, room + 1)
    except IsalError:
        pass  # the way below says what is wrong with it, and where
    else:
        if decoder.eof and len(whole) <= limit and not decoder.unused_data:
            return whole

    def begin() -> tuple[_Decoder, _Feed]:
        decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        return decoder, decoder.decompress

    return _members(body, name, limit, begin, _CHUNK)


def _inflate(body: memoryview, name: str, limit: int) -> bytes:
    """RFC 9110 section 8.4.1.2: zlib data, or, from servers that got it wrong, bare deflate."""
    flags = [igzip_lib.DECOMP_ZLIB, igzip_lib.DECOMP_DEFLATE]
    if not _opens_zlib(body):
        flags.reverse()
    first: CodingError | None = None
    for flag in flags:
        try:
            return _inflate_as(body, name, limit, flag)
        except CodingError as error:
            if error.problem == "past the limit":
                raise
            first = first or error
    raise first or CodingError(name, "corrupt")


def _opens_zlib(body: memoryview) -> bool:
    """RFC 1950 section 2.2: method 8 and a header that is a multiple of 31."""
    return len(body) > 1 and body[0] & 15 == zlib.DEFLATED and not (body[0] << 8 | body[1]) % 31


def _inflate_as(body: memoryview, name: str, limit: int, flag: int) -> bytes:
    def begin() -> tuple[_Decoder, _Feed]:
        decoder = igzip_lib.IgzipDecompressor(flag=flag)
        return decoder, decoder.decompress

    return _members(body, name, limit, begin, _CHUNK)


def _unzstd(body: memoryview, name: str, limit: int) -> bytes:
    def begin() -> tuple[_Decoder, _Feed]:
        decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
        return decoder, lambda data, _most: decoder.decompress(data)

    return _members(body, name, limit, begin, _ZSTD_CHUNK)


def _members(
    body: memoryview,
    name: str,
    limit: int,
    begin: Callable[[], tuple[_Decoder, _Feed]],
    chunk: int,
) -> bytes:
    """Decode member after member (RFC 1952 section 2.2, RFC 8878 section 3.1), bounded."""
    parts: list[bytes] = []
    size = position = 0
    for _ in range(MAX_MEMBERS):
        decoder, feed = begin()
        while not decoder.eof:
            if position >= len(body):
                raise CodingError(name, "cut short")
            data = body[position : position + chunk]
            try:
                part = feed(data, limit - size + 1)
            except (IsalError, zstandard.ZstdError) as error:
                raise CodingError(name, "corrupt", str(error)) from error
            parts.append(part)
            size += len(part)
            position += len(data)
            if size > limit:
                raise CodingError(name, "past the limit", f"{limit} bytes")
        position -= len(decoder.unused_data)
        if not _goes_on(body, position, name):
            return b"".join(parts)
    raise CodingError(name, "past the limit", f"{MAX_MEMBERS} members")


def _goes_on(body: memoryview, position: int, name: str) -> bool:
    """Whether another member follows; bytes after gzip that open none are padding."""
    if position >= len(body) or name == "deflate":
        return False
    return name == "zstd" or bytes(body[position : position + 2]) == b"\x1f\x8b"


def _unbrotli(body: memoryview, name: str, limit: int) -> bytes:
    decoder = brotli.Decompressor()
    parts: list[bytes] = []
    size = 0
    data: memoryview | bytes = body
    try:
        while not decoder.is_finished():
            part: bytes = decoder.process(data, output_buffer_limit=limit - size + 1)
            parts.append(part)
            size += len(part)
            if size > limit:
                raise CodingError(name, "past the limit", f"{limit} bytes")
            if not part and decoder.can_accept_more_data() and not decoder.is_finished():
                raise CodingError(name, "cut short")
            data = b""
    except brotli.error as error:
        raise CodingError(name, "corrupt", str(error)) from error
    return b"".join(parts)


_CODINGS: dict[str, Callable[[memoryview, str, int], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
