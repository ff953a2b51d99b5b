"""Bytes to text: which character encoding a document is in.

The order of evidence: byte order mark, ``Content-Type``, ``<meta>``, then the
next encoding that decodes without an error, else replacement characters and a finding.
Labels mean what the WHATWG Encoding Standard (section 4.2) says they mean; the table holds
only encodings that decode in linear time. Pure.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from functools import lru_cache

from storage.model import Finding

#: Bytes of a document that are read for what it says: the longest books in one file have some 6 MB,
#: and a text takes up to four bytes a character, several times over, while it is compared.
MAX_READ = 8 << 20
#: Bytes searched for ``<meta charset>``: HTML's 1,024, doubled twice for heads with long comments.
PRESCAN = 4096

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MARKS = tuple(mark for mark, _ in _BOMS)
#: WHATWG label → Python codec. Where the standard decodes a subset as its superset, so does this.
_CODECS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "utf-16-le": "utf-16 utf-16le unicode csunicode ucs-2",
    "utf-16-be": "utf-16be",
    "cp1252": "windows-1252 cp1252 iso-8859-1 iso8859-1 iso_8859-1 latin1 l1 us-ascii ascii",
    "cp1250": "windows-1250 cp1250",
    "cp1251": "windows-1251 cp1251",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254 iso-8859-9 latin5",
    "cp1255": "windows-1255 cp1255",
    "cp1256": "windows-1256 cp1256",
    "cp1257": "windows-1257 cp1257",
    "cp1258": "windows-1258 cp1258",
    "iso8859-2": "iso-8859-2 iso8859-2 latin2",
    "iso8859-3": "iso-8859-3",
    "iso8859-4": "iso-8859-4",
    "iso8859-5": "iso-8859-5 cyrillic",
    "iso8859-6": "iso-8859-6 arabic",
    "iso8859-7": "iso-8859-7 greek",
    "iso8859-8": "iso-8859-8 iso-8859-8-i hebrew",
    "iso8859-10": "iso-8859-10",
    "iso8859-13": "iso-8859-13",
    "iso8859-14": "iso-8859-14",
    "iso8859-15": "iso-8859-15 latin9",
    "iso8859-16": "iso-8859-16",
    "cp874": "windows-874 iso-8859-11 tis-620",
    "koi8-r": "koi8-r koi8",
    "koi8-u": "koi8-u",
    "cp866": "ibm866 cp866",
    "mac-roman": "macintosh mac",
    "gb18030": "gb18030 gbk gb2312 x-gbk",
    "big5hkscs": "big5 big5-hkscs",
    "euc-jp": "euc-jp x-euc-jp",
    "cp932": "shift_jis shift-jis sjis x-sjis windows-31j",
    "iso2022-jp": "iso-2022-jp",
    "cp949": "euc-kr ks_c_5601-1987 korean windows-949",
}
_CODEC_OF = {label: codec for codec, labels in _CODECS.items() for label in labels.split()}
_HEADER_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
_META_CHARSET = re.compile(
    rb"<meta[^>]{0,500}?charset\s{0,20}=\s{0,20}[\"']?\s{0,20}([a-zA-Z0-9_:.-]{1,40})",
    re.IGNORECASE,
)
#: Said of a document past ``MAX_READ``.
TOO_LONG = Finding(
    kind="too-long",
    detail=f"only its first {MAX_READ:,} bytes are read for what it says; all of them are kept",
)
#: Tried when nothing that was said fits; nearly every byte is a windows-1252 character.
_LAST_RESORTS = ("utf-8", "cp1252")
#: Content types whose charset is remembered, and the characters of one: a server sends the same
#: few.
_REMEMBERED, _SHORT = 128, 200


def decode(
    body: bytes, content_type: str = "", *, meta: bool = False
) -> tuple[str, tuple[Finding, ...]]:
    """Return ``body`` as text without its byte order mark, and a finding where it was mended.

    ``content_type`` is the header field's value; ``meta`` also reads HTML's own declaration.
    """
    whole = len(body) <= MAX_READ
    header = (_known if len(content_type) <= _SHORT else _of_header)(content_type)
    first = header or ("" if meta else "utf-8")
    if first == "utf-8" and whole and not body.startswith(_MARKS):
        # Nearly every document is this, and needs nothing of what follows.
        try:
            return body.decode(), ()
        except UnicodeDecodeError:
            pass
    read = body if whole else body[:MAX_READ]
    said = (header, _of_meta(read) if meta else None)
    candidates = tuple(dict.fromkeys((*filter(None, said), *_LAST_RESORTS)))
    for mark, codec in _BOMS:
        if read.startswith(mark):
            read, candidates = read[len(mark) :], (codec,)
            break
    text, findings = _strict_or_replaced(read, candidates, whole=whole)
    return text, findings if whole else (*findings, TOO_LONG)


def unread(body: bytes) -> str:
    """Return the SHA-256 of what ``decode`` leaves out of ``body``, in hex; "" for nothing."""
    return hashlib.sha256(memoryview(body)[MAX_READ:]).hexdigest() if len(body) > MAX_READ else ""


def codec_of(label: str) -> str | None:
    """Return Python's name for the encoding that a WHATWG ``label`` means, if it means one."""
    return _CODEC_OF.get(label.strip().lower())


def _of_header(content_type: str) -> str | None:
    found = _HEADER_CHARSET.search(content_type)
    return codec_of(found[1]) if found is not None else None


_known = lru_cache(_REMEMBERED)(_of_header)


def _of_meta(body: bytes) -> str | None:
    found = _META_CHARSET.search(body, 0, PRESCAN)
    codec = codec_of(found[1].decode("ascii")) if found is not None else None
    # A <meta> that could be read as ASCII is not in UTF-16 (HTML section 13.2.3.2).
    return "utf-8" if codec is not None and codec.startswith("utf-16") else codec


def _strict_or_replaced(
    body: bytes, candidates: tuple[str, ...], *, whole: bool
) -> tuple[str, tuple[Finding, ...]]:
    for codec in candidates:
        try:
            # What was cut may end within a character, which is then left out.
            return codecs.getincrementaldecoder(codec)().decode(body, final=whole), ()
        except UnicodeDecodeError:
            continue
    detail = f"its bytes are no {candidates[0]}; what could not be read became U+FFFD"
    text = body.decode(candidates[0], "replace")
    return text, (Finding(kind="charset", detail=detail),)
