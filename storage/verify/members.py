"""One gzip member and the record in it, checked to the last bit. Pure.

The plain case first and fast: a record as storage.warc writes it, its fields in that order. What
is not of that form is not judged here but by storage.warc_read, which knows every form and says
what is wrong. A body's digest of decoded bytes follows from its stored bytes, which are checked
here; ``deep`` computes it all the same.
"""

from __future__ import annotations

import re
import zlib
from hashlib import sha256

from isal import igzip_lib, isal_zlib
from msgspec import Struct

from storage.codings import CodingError, IsalError, decode
from storage.manifest import ManifestError
from storage.manifest import decode as decode_manifest
from storage.model import Manifest, RecordRef, Representation
from storage.warc import GZIP_HEADER, has_sha1, most_of
from storage.warc_read import Parsed, RecordError, inflate, read_member, whole_head

#: Bytes of a member that is decoded in one step: it swells to 66 MiB at most (RFC 1951), less than
#: a record may always have. A larger one is decoded by warc_read, step by step.
_ONE_STEP = 64 << 10
#: A member's checksum and length.
_TRAILER = 8
_END = b"\r\n\r\n"
#: How often larger than its member a record may be whose body is stored as it came, with a coding.
_HARDLY = 2
#: A manifest's WARC header, as storage.warc writes it: no value has a line's end in it, and to look
#: for the line feed alone, as a dot does, takes half the time.
_METADATA = re.compile(
    rb"WARC/1\.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <(urn:uuid:[0-9a-f-]{36})>\r\n"
    rb"Content-Length: ([0-9]{1,10})\r\nWARC-Date: .+\r\nWARC-Target-URI: (.+)\r\n"
    rb"Content-Type: application/warc-fields\r\nWARC-Block-Digest: sha1:([A-Z2-7]{32})\r\n\r\n"
)
#: A response's and a revisit's.
_ANSWER = re.compile(
    rb"WARC/1\.1\r\nWARC-Type: (response|revisit)\r\nWARC-Record-ID: <(urn:uuid:[0-9a-f-]{36})>\r\n"
    rb"Content-Length: ([0-9]{1,10})\r\nWARC-Date: .+\r\nWARC-Target-URI: .+\r\n"
    rb"WARC-Concurrent-To: <(urn:uuid:[0-9a-f-]{36})>\r\n"
    rb"(?:WARC-Profile: .+\r\nWARC-Refers-To: <(urn:uuid:[0-9a-f-]{36})>\r\n"
    rb"WARC-Refers-To-Target-URI: .+\r\nWARC-Refers-To-Date: .+\r\n)?"
    rb"WARC-Payload-Digest: sha1:([A-Z2-7]{32})\r\n"
    rb"Content-Type: application/http; msgtype=response\r\n"
    rb"WARC-Block-Digest: sha1:([A-Z2-7]{32})\r\n\r\n"
)
#: A manifest's way to write a digest before its letters.
_SHA1 = "sha1:"


class Described(Struct, frozen=True, kw_only=True):
    """What a manifest says of a record: ``one`` is the representation that it stands for, if any.

    ``group`` is the manifest's own record id.
    """

    ref: RecordRef
    group: str
    one: Representation | None


def manifest_in(data: memoryview) -> tuple[str, str, Manifest] | None:
    """Return a manifest's record id, its URN and itself, from its member to the byte.

    None where it is not plainly one: then somebody else is to judge it.
    """
    whole = _decoded(data)
    head = _METADATA.match(whole) if whole is not None else None
    if whole is None or head is None:
        return None
    block = memoryview(whole)[head.end() : -len(_END)]
    if len(block) != int(head[2]) or not whole.endswith(_END) or not has_sha1(block, head[4]):
        return None
    try:
        return head[1].decode(), head[3].decode(), decode_manifest(block)
    except (ManifestError, UnicodeDecodeError):
        return None


def fault_of(data: memoryview, said: Described, *, deep: bool) -> str | None:
    """Return what is wrong with a record's member; None where all is as its manifest says."""
    if said.ref.crc is not None and isal_zlib.crc32(data) != said.ref.crc:
        return _fault(data, said) or "its bytes are not those written, though they decode alike"
    body = _body(data, said)
    if body is None:
        return _fault(data, said)
    return _deep_fault(body, said.one) if deep and said.ref.type == "response" else None


def _body(data: memoryview, said: Described) -> memoryview | None:
    """Return the body of a record that is in order; None where it is not plainly so."""
    whole = _decoded(data)
    head = _ANSWER.match(whole) if whole is not None else None
    if whole is None or head is None or not whole.endswith(_END):
        return None
    block = memoryview(whole)[head.end() : -len(_END)]
    end = whole.find(_END, head.end()) + len(_END) - head.end()
    kind, record_id, length, group, target, payload, digest = head.groups()
    ref, one = said.ref, said.one
    if len(block) != int(length) or end < len(_END) or not has_sha1(block, digest):
        return None
    if kind.decode() != ref.type or record_id.decode() != ref.id or group.decode() != said.group:
        return None
    body = block[end:]
    if ref.type == "response" and not has_sha1(body, payload):
        return None
    if one is None:
        return body
    same = one.payload_digest == _SHA1 + payload.decode()
    return body if same and (target or b"").decode() == (one.target_id or "") else None


def _fault(data: memoryview, said: Described) -> str | None:
    """Judge the general case: any record that a WARC writer of ours may have made."""
    ref, one = said.ref, said.one
    try:
        parsed = read_member(data, verify=True)
    except RecordError as error:
        return str(error)
    head = parsed.head
    if (head.id, head.type) != (ref.id, ref.type):
        return f"record {head.id} where {ref.id} should stand"
    if head.concurrent_to != said.group:
        return f"record {ref.id} says that it belongs to {head.concurrent_to}"
    return None if one is None else _unlike(parsed, one)


def _unlike(parsed: Parsed, one: Representation) -> str | None:
    head = parsed.head
    if head.payload_digest != one.payload_digest:
        return f"its payload is {head.payload_digest}, and the manifest says {one.payload_digest}"
    if head.refers_to != (one.target_id or ""):
        return f"it refers to {head.refers_to!r}, and the manifest says {one.target_id!r}"
    return None


def _deep_fault(body: memoryview, one: Representation | None) -> str | None:
    if one is None:
        return None
    try:
        decoded = decode(body, one.content_encoding, min(one.length, most_of(len(body))))
    except CodingError as error:
        return f"its body does not decode: {error}"
    if len(decoded) != one.length or sha256(decoded).hexdigest() != one.digest:
        return "its decoded bytes are not those of the manifest's SHA-256"
    return None


def _decoded(data: memoryview) -> bytes | None:
    """Decode a member of ours that ends where ``data`` does; None where it is no such one."""
    if len(data) > _ONE_STEP or bytes(data[: len(GZIP_HEADER)]) != GZIP_HEADER:
        return _decoded_large(data)
    size = int.from_bytes(data[-4:], "little")
    if size < len(data) * _HARDLY:
        return _copied(data, size)
    try:
        whole: bytes = igzip_lib.decompress(
            data, flag=igzip_lib.DECOMP_GZIP, bufsize=max(min(size, len(data) << 8), 1)
        )
    except IsalError:
        return None
    # What one step decodes may end before the data do: the trailer must be this member's.
    return whole if _are_told(whole, data, size) else None


def _copied(data: memoryview, size: int) -> bytes | None:
    """Do the same with a member that holds its record nearly as it is.

    zlib takes two thirds of isal's time for these. Its header was compared before.
    """
    decoder = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        whole = decoder.decompress(data[len(GZIP_HEADER) : -_TRAILER], size + 1)
    except zlib.error:
        return None
    ended = decoder.eof and not decoder.unused_data
    return whole if ended and _are_told(whole, data, size) else None


def _are_told(whole: bytes, data: memoryview, size: int) -> bool:
    """Tell whether a member's trailer (RFC 1952 section 2.3.1) is that of what it decodes to."""
    crc = int.from_bytes(data[-_TRAILER:-4], "little")
    return len(whole) == size and isal_zlib.crc32(whole) == crc


def _decoded_large(data: memoryview) -> bytes | None:
    most = most_of(len(data))
    inflated = inflate((data,), keep=most, most=most)
    if whole_head(inflated) is None or inflated.length != len(data):
        return None
    return inflated.opening
