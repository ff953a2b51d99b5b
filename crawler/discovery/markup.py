"""What sitemaps and feeds share before a parser sees them: bytes to text, gzip, common faults.

XML 1.0 appendix F says how a document's encoding is found; here only encodings that publishers
use are believed, because some of Python's take quadratic time and others hide markup. Pure.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator

from crawler.facts import Malformed
from storage.codings import CodingError, decode

#: Codecs a document may declare, by the start of Python's own names; all contain ASCII as it is.
_BELIEVED = ("ascii", "utf-8", "iso8859", "cp125", "koi8", "gb", "big5", "euc", "shift_jis", "mac-")
_DECLARED = re.compile(
    rb"\s{0,99}<\?xml[^>]{0,99}?encoding\s*=\s*[\"']([\w.:-]{1,40})", re.IGNORECASE
)
#: Bytes decoded at a time.
_PIECE = 1 << 16
#: Characters without a mark after which a text is cut anywhere: no honest element is that long.
_MOST_UNCUT = 1 << 20
#: Bytes at the start that may hold a server's warnings before the document.
_MAX_PREAMBLE = 8_192
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
#: By what is in it: a class of all the rest of Unicode takes milliseconds to compile.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ROOT = re.compile(
    r"<\?xml|<!doctype|<(?:\w{1,20}:)?(?:urlset|sitemapindex|rss|feed|rdf)\b", re.IGNORECASE
)

#: How a gzip file opens (RFC 1952 section 2.3.1).
GZIP_MAGIC = b"\x1f\x8b"


def gunzipped(body: bytes, limit: int) -> bytes:
    """Undo a document's own gzip where it opens with gzip's magic; at most ``limit`` bytes out.

    Raises Malformed when it is corrupt, cut short or larger.
    """
    if not body.startswith(GZIP_MAGIC):
        return body
    try:
        return decode(body, "gzip", limit)
    except CodingError as error:
        raise Malformed(str(error)) from error


def decoded(body: bytes) -> str:
    """Decode by BOM, by UTF-16's look, by the XML declaration where believable, else as UTF-8.

    What doesn't decode is replaced: an URL is ASCII, so one bad word costs no entry.
    """
    return "".join(pieces(body))


def pieces(body: bytes) -> Iterator[str]:
    """Decode as `decoded` does, a piece at a time: a long document is never there as one text."""
    name, start = _encoding(body)
    decoder = codecs.getincrementaldecoder(name)("replace")
    view = memoryview(body)
    for begin in range(start, len(body), _PIECE):
        yield decoder.decode(bytes(view[begin : begin + _PIECE]))
    yield decoder.decode(b"", final=True)


def cut_behind(texts: Iterable[str], mark: str) -> Iterator[str]:
    """Cut ``texts`` anew, so that each part but the last ends in ``mark``, if it has any."""
    rest = ""
    for text in texts:
        whole, found, rest = (rest + text).rpartition(mark)
        if len(rest) > _MOST_UNCUT:
            whole, rest = whole + found + rest, ""
            yield whole
        elif found:
            yield whole + found
    yield rest


def _encoding(body: bytes) -> tuple[str, int]:
    """Return the codec of ``body``, and where its text begins."""
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16", 0
    if body.startswith((b"<\0", b"\0<")):
        return ("utf-16-le" if body[0] else "utf-16-be"), 0
    start = len(codecs.BOM_UTF8) if body.startswith(codecs.BOM_UTF8) else 0
    declared = _DECLARED.match(body, start)
    return _codec(declared[1].decode() if declared else "utf-8"), start


def document(text: str) -> str:
    """Drop what stands before an XML document: white space, byte order marks, a PHP warning."""
    match = _ROOT.search(text, 0, _MAX_PREAMBLE)
    return text[match.start() :] if match else text.lstrip("\ufeff \t\r\n")


def repaired(text: str) -> str:
    """Escape ampersands that start no entity of XML's own, and drop characters XML forbids."""
    return _NOT_XML.sub("", _BARE_AMPERSAND.sub("&amp;", text))


def _codec(name: str) -> str:
    try:
        found = codecs.lookup(name).name
    except LookupError:
        return "utf-8"
    return found if found.startswith(_BELIEVED) else "utf-8"
