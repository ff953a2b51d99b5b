"""Short forms of what the index holds most of: ids and digests in half their bytes, URLs as marks.

Pure. What is packed comes back as it was, letter by letter; a mark is a number to look for a text
by, and tells nothing of it.
"""

from __future__ import annotations

from binascii import unhexlify
from functools import lru_cache
from hashlib import sha256
from struct import Struct

_UUID_BYTES = 16
#: A mark's bytes, the first of a SHA-256.
_MARK = Struct(">q").unpack_from
#: Of a SHA-256.
_DIGEST_BYTES = 32
#: Characters of a UUID as a URN (RFC 9562 section 4).
_URN = len("urn:uuid:00000000-0000-0000-0000-000000000000")
#: Characters of a URL or path whose mark is remembered: a batch asks for each several times.
_COMMON = 200


class Packed(str):
    """An id or digest of another make, which stays as it is: PostgreSQL's columns are of bytes."""

    __slots__ = ()


def packed(text: str) -> Packed | bytes:
    """Return a record id or a hex digest in half its bytes; text of another make stays as it is."""
    if len(text) == 2 * _DIGEST_BYTES:
        bare = text
    elif len(text) == _URN and text[:9] == "urn:uuid:" and text[17:33:5] == "----":
        bare = text[9:].replace("-", "")
        if len(bare) != 2 * _UUID_BYTES:
            return Packed(text)
    else:
        return Packed(text)
    try:
        short = unhexlify(bare)
    except ValueError:
        return Packed(text)
    # Capitals would come back as something else.
    return short if short.hex() == bare else Packed(text)


def unpacked(value: object) -> str:
    """Return the text that ``packed`` made ``value`` of. Raises TypeError for what it never was."""
    if isinstance(value, str):
        return str(value)
    if type(value) is not bytes:
        raise TypeError(f"{value!r:.80} is no id and no digest")
    text = value.hex()
    if len(value) != _UUID_BYTES:
        return text
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def mark_of(text: str) -> int:
    """Return a number to find a URL or path by, of 64 bits: two texts share one only by intent."""
    return _common_mark(text) if len(text) <= _COMMON else _mark_of(text)


def _mark_of(text: str) -> int:
    mark: int
    (mark,) = _MARK(sha256(text.encode("utf-8", "surrogatepass")).digest())
    return mark


_common_mark = lru_cache(maxsize=4_096)(_mark_of)
