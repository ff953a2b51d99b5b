"""WARC records, read: one gzip member in, one record out; trusts nothing that it reads.

Pure. Every length is bounded and compared with what is really there; CRC-32 and length of the
member always count (RFC 1952 section 2.3.1), SHA-1 digests where they are asked for. A member
is ours only if it opens with ``warc.GZIP_HEADER`` to the bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal, TypeAlias

from fastwarc.warc import HeaderMap, WarcRecord
from isal import igzip_lib
from msgspec import Struct

from storage.codings import BytesLike, IsalError
from storage.warc import GZIP_HEADER, MAX_RECORD, is_digest, most_of

State: TypeAlias = Literal["whole", "cut short", "corrupt"]

#: Bytes of a WARC header: fastwarc's own bound; ours have some 900 and two URLs.
MAX_WARC_HEADER = 32 << 10
#: Bytes of a stored answer's status line and fields: the most that ``max_header`` lets be kept is
#: 16 MiB, and no server sends a hundredth of it.
MAX_HTTP_HEADER = 16 << 20
#: Fields of a stored answer; what comes after so many stays in the last one's value.
MAX_FIELDS = 10_000
#: Decoded bytes made at once, so that a bomb's swollen chunk is never in memory.
_STEP = 1 << 20
#: The first of them: room for nearly every manifest, and a twentieth of the time that it takes to
#: be given 1 MiB and hand most of it back.
_FIRST_STEP = 64 << 10

_BLANK = b"\r\n\r\n"
_NUMBER = re.compile(r"[0-9]{1,15}")
#: A manifest's or response's header as storage.warc writes it: nearly all that is ever read, and
#: told in a tenth of the time that reading anybody's takes.
_OURS = re.compile(
    rb"WARC/1\.1\r\nWARC-Type: (metadata|response)\r\nWARC-Record-ID: <([!-;=?-~]+)>\r\n"
    rb"Content-Length: ([0-9]{1,15})\r\nWARC-Date: ([!-~]+)\r\nWARC-Target-URI: ([!-;=?-~]+)\r\n"
    rb"(?:WARC-Concurrent-To: <([!-;=?-~]+)>\r\nWARC-Payload-Digest: ([!-~]+)\r\n)?"
    rb"Content-Type: ([!-~](?:[ -~]*[!-~])?)\r\nWARC-Block-Digest: ([!-~]+)\r\n\r\n"
)
_STATUS = re.compile(rb"HTTP/[0-9.]{1,4} ([0-9]{3})(?: ([^\r\n]*))?")


class RecordError(ValueError):
    """Bytes that are not the one whole record they should be; the message says why."""


class Head(Struct, frozen=True, kw_only=True, gc=False):
    """A record's WARC header: ids without ``<`` and ``>``, empty where the field is not there.

    ``size`` is the header's bytes with the blank line, ``content_length`` the block's.
    """

    type: str
    id: str
    date: str
    target_uri: str
    content_type: str
    content_length: int
    block_digest: str
    payload_digest: str
    concurrent_to: str
    refers_to: str
    size: int

    @property
    def whole_size(self) -> int:
        """Decoded bytes of the whole record: header, block and the end."""
        return self.size + self.content_length + len(_BLANK)


class Parsed(Struct, frozen=True, kw_only=True):
    """A record, read: its header, and the HTTP answer that it holds.

    For a record that holds none, ``status`` is 0 and ``body`` the whole block.
    """

    head: Head
    status: int = 0
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


class Inflated(Struct, frozen=True, kw_only=True, gc=False):
    """What came out of one gzip member: its first bytes, how many there were, how it ended.

    ``size`` counts decoded bytes, ``length`` the member's own; ``end`` are the last decoded bytes.
    """

    state: State
    opening: bytes
    size: int
    length: int
    end: bytes = b""


def inflate(chunks: Iterable[BytesLike], *, keep: int, most: int = MAX_RECORD) -> Inflated:
    """Decode the member that ``chunks`` begin with, keeping its first ``keep`` bytes.

    ``cut short``: the bytes ended, without fault, before the member did. ``corrupt``: they are
    no member of ours, or one whose checksum is wrong, or one of more than ``most`` bytes.
    """
    following = iter(chunks)
    first = next(following, b"")
    return _at_once(first, keep, most) or _in_steps(chain((first,), following), keep, most)


def _at_once(chunk: BytesLike, keep: int, most: int) -> Inflated | None:
    """Decode a member that is small and all in ``chunk``, as nearly all are; else None."""
    if bytes(chunk[: len(GZIP_HEADER)]) != GZIP_HEADER:
        return None
    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    try:
        whole = decoder.decompress(chunk, min(_FIRST_STEP, most + 1))
    except IsalError:
        return None
    if not decoder.eof or len(whole) > most:
        return None
    length = len(chunk) - len(decoder.unused_data)
    end = whole[-len(_BLANK) :]
    return Inflated(state="whole", opening=whole[:keep], size=len(whole), length=length, end=end)


def _in_steps(chunks: Iterable[BytesLike], keep: int, most: int) -> Inflated:
    decoder = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    kept: list[bytes] = []
    size = length = 0
    end = b""
    opened = b""
    state: State = "cut short"
    for chunk in chunks:
        if len(opened) < len(GZIP_HEADER):
            opened += bytes(chunk[: len(GZIP_HEADER) - len(opened)])
            if not GZIP_HEADER.startswith(opened):
                state = "corrupt"
                break
        length += len(chunk)
        try:
            for part in _parts(decoder, chunk, most + 1):
                if size < keep:
                    kept.append(part[: keep - size])
                size += len(part)
                end = part[-4:] if len(part) >= len(_BLANK) else (end + part)[-4:]
                if size > most:
                    break
        except IsalError:
            state = "corrupt"
            break
        if size > most:
            state = "corrupt"
            break
        if decoder.eof:
            length -= len(decoder.unused_data)
            state = "whole"
            break
    opening = kept[0] if len(kept) == 1 else b"".join(kept)
    return Inflated(state=state, opening=opening, size=size, length=length, end=end)


def _parts(decoder: igzip_lib.IgzipDecompressor, chunk: BytesLike, most: int) -> Iterator[bytes]:
    """Give what a chunk decodes to, never more than ``_STEP`` or ``most`` bytes at once."""
    part = decoder.decompress(chunk, min(_FIRST_STEP, most))
    yield part
    while not (decoder.eof or decoder.needs_input) and part:
        part = decoder.decompress(b"", min(_STEP, most))
        yield part


def parse_head(opening: bytes) -> Head | None:
    """Read the WARC header that decoded bytes open with; None where they open with none."""
    ours = _OURS.match(opening, 0, MAX_WARC_HEADER)
    if ours:
        return _own_head(ours)
    end = opening.find(_BLANK, 0, MAX_WARC_HEADER)
    if end < 0 or not opening.startswith(b"WARC/1."):
        return None
    bare, length = _without_length(opening[: end + len(_BLANK)])
    try:
        return _head(WarcRecord.from_bytes(bare).headers, length, end + len(_BLANK))
    except (OSError, ValueError):
        return None


def _own_head(ours: re.Match[bytes]) -> Head:
    fields = [(field or b"").decode("ascii") for field in ours.groups()]
    kind, record_id, length, date, target, concurrent_to, payload, content_type, block = fields
    return Head(
        type=kind,
        id=record_id,
        date=date,
        target_uri=target,
        content_type=content_type,
        content_length=int(length),
        block_digest=block,
        payload_digest=payload,
        concurrent_to=concurrent_to,
        refers_to="",
        size=ours.end(),
    )


def _without_length(header: bytes) -> tuple[bytes, str]:
    """Return a header that announces no block, and the Content-Length that stood in it.

    fastwarc sets aside as many bytes as a header announces, and a lie of a petabyte ends the
    process. "" where not exactly one is stated.
    """
    lines = header.split(b"\n")
    stated = []
    for number, line in enumerate(lines):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            stated.append(value.strip())
            lines[number] = b"Content-Length: 0\r"
    length = stated[0].decode("ascii", "replace") if len(stated) == 1 else ""
    return b"\n".join(lines), length


def _head(fields: HeaderMap, length: str, size: int) -> Head | None:
    kind, record_id = fields.get("WARC-Type"), _word(fields, "WARC-Record-ID")
    if not _NUMBER.fullmatch(length) or not kind or not record_id:
        return None
    return Head(
        type=kind,
        id=record_id,
        date=fields.get("WARC-Date") or "",
        target_uri=_word(fields, "WARC-Target-URI"),
        content_type=fields.get("Content-Type") or "",
        content_length=int(length),
        block_digest=fields.get("WARC-Block-Digest") or "",
        payload_digest=fields.get("WARC-Payload-Digest") or "",
        concurrent_to=_word(fields, "WARC-Concurrent-To"),
        refers_to=_word(fields, "WARC-Refers-To"),
        size=size,
    )


def _word(fields: HeaderMap, name: str) -> str:
    return (fields.get(name) or "").strip("<> ")


def whole_head(inflated: Inflated) -> Head | None:
    """Give the header of a member that holds exactly one whole record, else None."""
    head = parse_head(inflated.opening) if inflated.state == "whole" else None
    if head is None or head.whole_size != inflated.size or inflated.end != _BLANK:
        return None
    return head


def read_member(data: BytesLike, *, verify: bool = False) -> Parsed:
    """Read the record that ``data``, one gzip member to the byte, holds.

    With ``verify`` its block and payload digests are computed and compared. Raises RecordError.
    """
    most = most_of(len(data))
    inflated = inflate((data,), keep=most, most=most)
    head = whole_head(inflated)
    if head is None or inflated.length != len(data):
        state = "no whole record" if inflated.state == "whole" else inflated.state
        raise RecordError(f"a gzip member that is {state}")
    block = memoryview(inflated.opening)[head.size : head.size + head.content_length]
    if verify and not is_digest(block, head.block_digest):
        raise RecordError(f"record {head.id} has another block digest than it says")
    if not head.content_type.startswith("application/http"):
        return Parsed(head=head, body=bytes(block))
    parsed = _parse_http(head, block)
    if verify and head.type == "response" and not is_digest(parsed.body, head.payload_digest):
        raise RecordError(f"record {head.id} has another payload digest than it says")
    return parsed


def _parse_http(head: Head, block: memoryview) -> Parsed:
    """RFC 9112 section 2.1, as storage.warc writes it; other people's quirks never get in here."""
    opening = bytes(block[:MAX_HTTP_HEADER])
    end = opening.find(_BLANK)
    first, *rest = opening[: max(end, 0)].split(b"\r\n", MAX_FIELDS)
    status = _STATUS.fullmatch(first)
    if end < 0 or status is None:
        raise RecordError(f"record {head.id} holds no HTTP answer")
    pairs = (line.partition(b":") for line in rest)
    return Parsed(
        head=head,
        status=int(status[1]),
        reason=_text(status[2] or b""),
        headers=tuple((_text(name), _text(value.strip(b" \t"))) for name, _, value in pairs),
        body=bytes(block[end + len(_BLANK) :]),
    )


def _text(field: bytes) -> str:
    return field.decode("utf-8", "surrogateescape")
