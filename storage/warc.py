"""WARC records, made (ISO 28500:2017, WARC 1.1): a gzip member each, bytes only, no file.

Pure. A group is a manifest and the records of its answers: build these first, then the
manifest, which names their ids and compressed lengths and is written first. Record ids are
``urn:uuid:…`` everywhere but in the header line itself, which puts them in ``<`` and ``>``.
Reading them is storage.warc_read's work; FORMAT.md tells the bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import struct
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from isal import isal_zlib
from msgspec import Struct, structs

from storage import manifest as manifests
from storage.codings import BytesLike
from storage.files import urn
from storage.model import FORMAT_VERSION, Manifest, Payload, RecordRef
from storage.times import format_utc

#: Every member opens with these bytes (RFC 1952 section 2.3): deflate, no flag, no time.
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
#: Indexers leave a metadata record out only under this type; the block is JSON all the same.
MANIFEST_TYPE = "application/warc-fields"
IDENTICAL = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"

#: Decoded bytes of one record: the largest body kept plus its headers; a bomb stops here.
MAX_RECORD = manifests.MAX_MEMBER + (1 << 20)
#: Decoded bytes that a record may always have: the largest body kept by default and its headers.
ALWAYS_KEPT = 72 << 20
#: How often larger a record of more than that may be than its member: honest text stays below 20,
#: a bomb is at 1,000 (RFC 1951 has a bound of 1,032).
MOST_SWELLING = 100

#: isal's level: 2 is as fast as 1 on articles and a little smaller.
_LEVEL = 2
#: Bytes of one stored deflate block (RFC 1951 section 3.2.4).
_STORED = 65_535
_END = b"\r\n\r\n"
#: A stored block's header, and a member's end (RFC 1951 section 3.2.4, RFC 1952 section 2.3.1).
_BLOCK = struct.Struct("<BHH")
_TRAILER = struct.Struct("<II")
#: The last block of a member with stored ones: the record's end.
_LAST = _BLOCK.pack(1, len(_END), len(_END) ^ 0xFFFF) + _END
#: Base32 (RFC 4648 section 6), two letters of ten bits at a time: a SHA-1 has 160. Python's own is
#: made for any length, and takes twice as long.
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_SHIFTS = range(150, -1, -10)
#: Bytes that Python hashes without letting another thread run meanwhile, and those from which on
#: that is worth its while: to get back from another processor takes as long as to hash so many.
_UNSHARED = 2_047
_WORTH_SHARING = 1 << 16
#: A digest as text, and the letters that Python's int has for those of base32.
_DIGEST = re.compile(r"sha1:[A-Z2-7]{32}")
_TO_PYTHON = bytes.maketrans(_BASE32.encode(), b"0123456789abcdefghijklmnopqrstuv")
_CONTENT_ENCODING = len("content-encoding")
_CONTENT_LENGTH = len("content-length")
_BLANKS = " \t"
#: Fields of the connection, not of the answer (RFC 9110 section 7.6.1).
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
#: A field name's characters (RFC 9110 section 5.6.2).
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ONE_LINE = {0: " ", 10: " ", 13: " "}
#: Characters of a field that is kept in mind: of those that an answer has, most were in the last.
_COMMON_FIELD = 200
#: What no URL has to be quoted for: see _uri.
_SAFE = "%:/?#[]@!$&'()*+,;=~"
_QUOTED = re.compile(rf"[A-Za-z0-9_.\-{re.escape(_SAFE)}]*")
#: RFC 9562: the version, 7 with a time and 4 without one, and the variant, as bits of the number.
_VARIANT = 0b10 << 62
_RANDOM_BITS = 0x0FFF_3FFF_FFFF_FFFF_FFFF
_TIME_BITS = (1 << 48) - 1
#: Hex digits of an id that count a group's records, of which there are MAX_RECORDS at most.
_COUNTED = 4


class Target(Struct, frozen=True, kw_only=True):
    """The earlier ``response`` that a revisit refers to: id, URL, WARC-Date, payload digest."""

    id: str
    url: str
    date: datetime
    payload_digest: str


class BuiltRecord(Struct, frozen=True, kw_only=True):
    """A record ready to be written: ``member`` is its gzip member, whole.

    ``content_encoding`` is its answer's, as ``content_encoding`` gives it.
    """

    id: str
    type: Literal["response", "revisit"]
    role: str
    member: bytes
    payload_digest: str
    content_encoding: str

    @property
    def ref(self) -> RecordRef:
        """How the manifest names this record."""
        return RecordRef(
            id=self.id,
            type=self.type,
            role=self.role,
            length=len(self.member),
            crc=isal_zlib.crc32(self.member),
        )


def most_of(member: int) -> int:
    """Return the most decoded bytes that are believed of a member of so many compressed ones."""
    return min(MAX_RECORD, max(ALWAYS_KEPT, MOST_SWELLING * member))


def new_record_id(at: datetime | None = None) -> str:
    """Make a fresh record id, ``urn:uuid:…`` (RFC 9562): of version 7 where a moment is given.

    Ids of about one moment stand together in an index, and compress together.
    """
    number = int.from_bytes(os.urandom(16))
    if at is None:
        number = number & ~(0xF000_C000_0000_0000_0000) | 4 << 76 | _VARIANT
    else:
        milliseconds = int(at.timestamp() * 1000) & _TIME_BITS
        number = milliseconds << 80 | number & _RANDOM_BITS | 7 << 76 | _VARIANT
    text = f"{number:032x}"
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def record_ids(at: datetime, count: int) -> list[str]:
    """Make fresh ids for the records of one group, of version 7: they differ in their end alone.

    So every record names its manifest, and the manifest its records, in a few compressed bytes.
    """
    beginning = new_record_id(at)[:-_COUNTED]
    return [f"{beginning}{number:0{_COUNTED}x}" for number in range(count)]


def digest(*parts: BytesLike) -> str:
    """Give ``sha1:`` and base32: the digest every WARC tool checks, over ``parts`` joined."""
    sha1 = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        if len(part) <= _UNSHARED:
            sha1.update(part)
            continue
        size = _UNSHARED if len(part) <= _WORTH_SHARING else len(part)
        view = memoryview(part)
        for at in range(0, len(part), size):
            sha1.update(view[at : at + size])
    number = int.from_bytes(sha1.digest())
    return "sha1:" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def is_digest(data: BytesLike, text: str) -> bool:
    """Tell whether ``text`` is the ``digest`` of ``data``: in a third of the time of making it."""
    return bool(_DIGEST.fullmatch(text)) and has_sha1(data, text.removeprefix("sha1:").encode())


def has_sha1(data: BytesLike, letters: bytes) -> bool:
    """Tell whether ``letters``, 32 that are base32's, stand for the SHA-1 of ``data``."""
    sha1 = hashlib.sha1(data, usedforsecurity=False).digest()
    return int(letters.translate(_TO_PYTHON), 32) == int.from_bytes(sha1)


def content_encoding(payload: Payload) -> str:
    """Return an answer's content codings, lower case and joined (RFC 9110 section 8.4)."""
    values = [
        value
        for name, value in payload.headers
        if len(name) == _CONTENT_ENCODING and name.lower() == "content-encoding"
    ]
    return _codings(tuple(values)) if sum(map(len, values)) < _COMMON_FIELD else _coded(values)


def _coded(values: Sequence[str]) -> str:
    codings = [part.strip().lower() for value in values for part in value.split(",")]
    return ", ".join(coding for coding in codings if coding and coding != "identity")


_codings = lru_cache(maxsize=64)(_coded)


def build_response(
    payload: Payload, *, record_id: str, concurrent_to: str, own: str | None = None
) -> BuiltRecord:
    """Make a ``response`` of the answer; ``concurrent_to`` is the manifest's record id.

    ``own`` is the payload's digest, where it is known. Raises ValueError for headers that are no
    text: surrogates stand for bytes only (PEP 383).
    """
    body = payload.body
    head = _http_head(payload, len(body))
    own = own or digest(body)
    fields = (
        f"WARC-Target-URI: {_uri(payload.url)}\r\nWARC-Concurrent-To: <{concurrent_to}>\r\n"
        f"WARC-Payload-Digest: {own}\r\nContent-Type: application/http; msgtype=response\r\n"
    )
    size = len(head) + len(body)
    at = payload.fetched_at
    kept = _warc_head(
        "response", record_id, at, fields, length=size, block_digest=digest(head, body)
    )
    coding = content_encoding(payload)
    member = _stored(kept + head, body) if coding else squeezed(b"".join((kept, head, body, _END)))
    decoded = len(kept) + size + len(_END)
    if decoded > most_of(len(member)):
        raise ValueError(f"{payload.url} has {decoded} bytes of next to nothing")
    return BuiltRecord(
        id=record_id,
        type="response",
        role=payload.role,
        member=member,
        payload_digest=own,
        content_encoding=coding,
    )


def build_revisit(
    payload: Payload, *, record_id: str, concurrent_to: str, target: Target, own: str | None = None
) -> BuiltRecord:
    """Make a ``revisit``: the answer's headers, ``target`` for its body (WARC 1.1 section 6.7).

    ``server-not-modified`` where ``payload.not_modified``, else ``identical-payload-digest``.
    ``own`` is the payload's digest, where it is known. Raises ValueError where the payload is not
    the target's: the caller compared wrongly.
    """
    if not payload.not_modified:
        own = own or digest(payload.body)
        if own != target.payload_digest:
            raise ValueError(f"the payload of {payload.url} is not that of {target.id}")
    head = _http_head(payload, None if payload.not_modified else len(payload.body))
    fields = _fields(
        ("WARC-Target-URI", _uri(payload.url)),
        ("WARC-Concurrent-To", f"<{concurrent_to}>"),
        ("WARC-Profile", NOT_MODIFIED if payload.not_modified else IDENTICAL),
        ("WARC-Refers-To", f"<{target.id}>"),
        ("WARC-Refers-To-Target-URI", _uri(target.url)),
        ("WARC-Refers-To-Date", format_utc(target.date)),
        ("WARC-Payload-Digest", target.payload_digest),
        ("Content-Type", "application/http; msgtype=response"),
    )
    at = payload.fetched_at
    kept = _warc_head("revisit", record_id, at, fields, length=len(head), block_digest=digest(head))
    return BuiltRecord(
        id=record_id,
        type="revisit",
        role=payload.role,
        member=squeezed(kept + head + _END),
        payload_digest=target.payload_digest,
        content_encoding=content_encoding(payload),
    )


def build_manifest(manifest: Manifest, *, record_id: str) -> bytes:
    """Make the manifest's gzip member. Raises manifest.ManifestError."""
    block = manifests.encode(manifest)
    fields = (
        f"WARC-Target-URI: {urn(manifest.site, manifest.slug)}\r\nContent-Type: {MANIFEST_TYPE}\r\n"
    )
    at = manifest.observed_at
    kept = _warc_head(
        "metadata", record_id, at, fields, length=len(block), block_digest=digest(block)
    )
    return squeezed(b"".join((kept, block, _END)))


def build_group(
    manifest: Manifest, *, record_id: str, records: Sequence[BuiltRecord]
) -> tuple[Manifest, bytes]:
    """Give the manifest with its records named, and the group's bytes in the order of writing."""
    named = structs.replace(manifest, records=tuple(record.ref for record in records))
    head = build_manifest(named, record_id=record_id)
    return named, b"".join((head, *(record.member for record in records)))


def build_warcinfo(
    *, record_id: str, created_at: datetime, filename: str, site: str, software: str
) -> bytes:
    """Make the ``warcinfo`` that heads a segment file (WARC 1.1 section 6.2)."""
    lines = (
        f"software: {software}",
        "format: WARC File Format 1.1",
        "conformsTo: https://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        f"isPartOf: {site}",
        f"slugline-format: {FORMAT_VERSION}",
    )
    block = "".join(f"{_one_line(line)}\r\n" for line in lines).encode()
    fields = _fields(("WARC-Filename", filename), ("Content-Type", "application/warc-fields"))
    kept = _warc_head(
        "warcinfo", record_id, created_at, fields, length=len(block), block_digest=digest(block)
    )
    return squeezed(kept + block + _END)


def _http_head(payload: Payload, length: int | None) -> bytes:
    """Write status line and fields, true to the stored bytes; ``length`` None: leave it."""
    lines = [f"HTTP/1.1 {payload.status} {_one_line(payload.reason)}\r\n"]
    for name, value in payload.headers:
        if length is not None and len(name) == _CONTENT_LENGTH and name.lower() == "content-length":
            continue
        common = len(name) + len(value) < _COMMON_FIELD
        lines.append(_common_line(name, value) if common else _line(name, value))
    lines.append("\r\n" if length is None else f"Content-Length: {length}\r\n\r\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


def _line(name: str, value: str) -> str:
    """Write a field as it is kept; nothing where it is left out."""
    if name.lower() in _HOP_BY_HOP or not name or not _TOKEN.issuperset(name):
        return ""
    # RFC 9110 section 5.5: CR, LF and NUL in a value become spaces before it goes on.
    return f"{name}: {_one_line(value).strip(_BLANKS)}\r\n"


_common_line = lru_cache(maxsize=1_024)(_line)


def _fields(*fields: tuple[str, str]) -> str:
    return "".join(f"{name}: {_one_line(value)}\r\n" for name, value in fields)


def _warc_head(
    kind: Literal["warcinfo", "response", "metadata", "revisit"],
    record_id: str,
    date: datetime,
    fields: str,
    *,
    length: int,
    block_digest: str,
) -> bytes:
    """Write a WARC header, blank line included: ``length`` and digest are the block's.

    ``fields`` are whole lines, of values that hold no end of one.
    """
    return (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <{record_id}>\r\n"
        f"Content-Length: {length}\r\nWARC-Date: {format_utc(date)}\r\n"
        f"{fields}WARC-Block-Digest: {block_digest}\r\n\r\n"
    ).encode()


def squeezed(whole: bytes) -> bytes:
    """Make the gzip member of a whole record."""
    return _gzip((isal_zlib.compress(whole, _LEVEL, -15),), isal_zlib.crc32(whole), len(whole))


def _stored(head: bytes, body: BytesLike) -> bytes:
    """One gzip member of a record whose body came with a content coding, and is not squeezed."""
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    parts: list[BytesLike] = [deflate.compress(head), deflate.flush(isal_zlib.Z_SYNC_FLUSH)]
    size = len(body)
    if size <= _STORED:
        parts += (_BLOCK.pack(0, size, size ^ 0xFFFF), body) if size else ()
    else:
        view = memoryview(body)
        for start in range(0, size, _STORED):
            block = view[start : start + _STORED]
            parts += (_BLOCK.pack(0, len(block), len(block) ^ 0xFFFF), block)
    parts.append(_LAST)
    crc = isal_zlib.crc32(_END, isal_zlib.crc32(body, isal_zlib.crc32(head)))
    return _gzip(parts, crc, len(head) + size + len(_END))


def _gzip(deflated: Sequence[BytesLike], crc: int, length: int) -> bytes:
    """RFC 1952 around deflated bytes: the fixed header, the plain bytes' CRC-32 and length."""
    return b"".join((GZIP_HEADER, *deflated, _TRAILER.pack(crc, length & 0xFFFFFFFF)))


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.translate(_ONE_LINE)


def _uri(url: str) -> str:
    """Give the URL as one ASCII word: what is in order already stays as it is."""
    return url if _QUOTED.fullmatch(url) else quote(url, safe=_SAFE)
