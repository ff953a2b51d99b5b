"""WARC records, made (ISO 28500:2017, WARC 1.1): a gzip member each, bytes only, no file.

Pure. A group is a manifest and the records of its answers: build these first, then the
manifest, which names their ids and compressed lengths and is written first. Record ids are
``urn:uuid:…`` everywhere but in the header line itself, which puts them in ``<`` and ``>``.
Reading them is storage.warc_read's work; FORMAT.md tells the bytes.
"""

from __future__ import annotations

import hashlib
import struct
import uuid
from base64 import b32encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, TypeAlias
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

Fields: TypeAlias = list[tuple[str, str]]


class Target(Struct, frozen=True, kw_only=True):
    """The earlier ``response`` that a revisit refers to: id, URL, WARC-Date, payload digest."""

    id: str
    url: str
    date: datetime
    payload_digest: str


class BuiltRecord(Struct, frozen=True, kw_only=True):
    """A record ready to be written: ``member`` is its gzip member, whole."""

    id: str
    type: Literal["response", "revisit"]
    role: str
    member: bytes
    payload_digest: str

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


def new_record_id() -> str:
    """Make a fresh record id, ``urn:uuid:…`` (RFC 9562)."""
    return uuid.uuid4().urn


def digest(*parts: BytesLike) -> str:
    """Give ``sha1:`` and base32: the digest every WARC tool checks, over ``parts`` joined."""
    sha1 = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        sha1.update(part)
    return f"sha1:{b32encode(sha1.digest()).decode('ascii')}"


def payload_digest(body: BytesLike) -> str:
    """Give the payload digest of a body as received, content coding on."""
    return digest(body)


def build_response(payload: Payload, *, record_id: str, concurrent_to: str) -> BuiltRecord:
    """Make a ``response`` of the answer; ``concurrent_to`` is the manifest's record id.

    Raises ValueError for headers that are no text: surrogates stand for bytes only (PEP 383).
    """
    head = _http_head(payload, len(payload.body))
    own = payload_digest(payload.body)
    fields = [
        ("WARC-Target-URI", _uri(payload.url)),
        ("WARC-Concurrent-To", f"<{concurrent_to}>"),
        ("WARC-Payload-Digest", own),
        ("Content-Type", "application/http; msgtype=response"),
    ]
    kept = _warc_head("response", record_id, payload.fetched_at, fields, head, payload.body)
    member = _member(kept + head, payload.body, coded=_is_coded(payload))
    decoded = len(kept) + len(head) + len(payload.body) + len(_END)
    if decoded > most_of(len(member)):
        raise ValueError(f"{payload.url} has {decoded} bytes of next to nothing")
    return BuiltRecord(
        id=record_id, type="response", role=payload.role, member=member, payload_digest=own
    )


def build_revisit(
    payload: Payload, *, record_id: str, concurrent_to: str, target: Target
) -> BuiltRecord:
    """Make a ``revisit``: the answer's headers, ``target`` for its body (WARC 1.1 section 6.7).

    ``server-not-modified`` where ``payload.not_modified``, else ``identical-payload-digest``.
    Raises ValueError where the payload is not the target's: the caller compared wrongly.
    """
    if not payload.not_modified and payload_digest(payload.body) != target.payload_digest:
        raise ValueError(f"the payload of {payload.url} is not that of {target.id}")
    head = _http_head(payload, None if payload.not_modified else len(payload.body))
    fields = [
        ("WARC-Target-URI", _uri(payload.url)),
        ("WARC-Concurrent-To", f"<{concurrent_to}>"),
        ("WARC-Profile", NOT_MODIFIED if payload.not_modified else IDENTICAL),
        ("WARC-Refers-To", f"<{target.id}>"),
        ("WARC-Refers-To-Target-URI", _uri(target.url)),
        ("WARC-Refers-To-Date", format_utc(target.date)),
        ("WARC-Payload-Digest", target.payload_digest),
        ("Content-Type", "application/http; msgtype=response"),
    ]
    kept = _warc_head("revisit", record_id, payload.fetched_at, fields, head)
    return BuiltRecord(
        id=record_id,
        type="revisit",
        role=payload.role,
        member=_member(kept + head, b"", coded=False),
        payload_digest=target.payload_digest,
    )


def build_manifest(manifest: Manifest, *, record_id: str) -> bytes:
    """Make the manifest's gzip member. Raises manifest.ManifestError."""
    block = manifests.encode(manifest)
    fields = [
        ("WARC-Target-URI", urn(manifest.site, manifest.slug)),
        ("Content-Type", MANIFEST_TYPE),
    ]
    kept = _warc_head("metadata", record_id, manifest.observed_at, fields, block)
    return _member(kept + block, b"", coded=False)


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
    fields = [("WARC-Filename", filename), ("Content-Type", "application/warc-fields")]
    kept = _warc_head("warcinfo", record_id, created_at, fields, block)
    return _member(kept + block, b"", coded=False)


def _http_head(payload: Payload, length: int | None) -> bytes:
    """Write status line and fields, true to the stored bytes; ``length`` None: leave it."""
    lines = [f"HTTP/1.1 {payload.status} {_one_line(payload.reason)}"]
    for name, value in payload.headers:
        lower = name.lower()
        if lower in _HOP_BY_HOP or not name or not _TOKEN.issuperset(name):
            continue
        if lower == "content-length" and length is not None:
            continue
        # RFC 9110 section 5.5: CR, LF and NUL in a value become spaces before it goes on.
        clean = _one_line(value).strip(" \t")
        lines.append(f"{name}: {clean}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def _warc_head(
    kind: Literal["warcinfo", "response", "metadata", "revisit"],
    record_id: str,
    date: datetime,
    fields: Fields,
    *blocks: BytesLike,
) -> bytes:
    """Write the WARC header, blank line included, of a record with the block ``blocks`` join to."""
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <{record_id}>",
        f"Content-Length: {sum(map(len, blocks))}",
        f"WARC-Date: {format_utc(date.astimezone(UTC))}",
        *(f"{name}: {_one_line(value)}" for name, value in fields),
        f"WARC-Block-Digest: {digest(*blocks)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _member(head: bytes, body: BytesLike, *, coded: bool) -> bytes:
    """One gzip member of ``head``, ``body`` and the record's end.

    A coded body is kept in stored blocks: squeezing it again costs time and gains nothing.
    """
    if not coded:
        whole = b"".join((head, body, _END))
        return _gzip((isal_zlib.compress(whole, _LEVEL, -15),), whole)
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)
    parts: list[BytesLike] = [deflate.compress(head), deflate.flush(isal_zlib.Z_SYNC_FLUSH)]
    view = memoryview(body)
    for start in range(0, len(view), _STORED):
        block = view[start : start + _STORED]
        parts += (struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block)
    parts += (struct.pack("<BHH", 1, len(_END), len(_END) ^ 0xFFFF), _END)
    return _gzip(parts, head, body, _END)


def _gzip(deflated: Sequence[BytesLike], *plain: BytesLike) -> bytes:
    """RFC 1952 around deflated bytes: the fixed header, the plain bytes' CRC-32 and length."""
    crc = 0
    for part in plain:
        crc = isal_zlib.crc32(part, crc)
    length = sum(map(len, plain)) & 0xFFFFFFFF
    return b"".join((GZIP_HEADER, *deflated, struct.pack("<II", crc, length)))


def _one_line(text: str) -> str:
    return text if text.isprintable() else text.translate(_ONE_LINE)


def _is_coded(payload: Payload) -> bool:
    return any(
        name.lower() == "content-encoding" and value.strip().lower() not in {"", "identity"}
        for name, value in payload.headers
    )


def _uri(url: str) -> str:
    """Give the URL as one ASCII word: what is in order already stays as it is."""
    return quote(url, safe="%:/?#[]@!$&'()*+,;=~")
