"""The formats an article comes in: one parser each, behind one door.

``parse`` turns a body into facts, ``check_claim`` says why a reply is not what it claims to be,
``sniff`` names what came. A format without a parser is kept and has no words. Pure:
bytes in (content coding undone), values out; the only error is facts.Malformed.
"""

from __future__ import annotations

import re

from crawler.facts import Facts
from crawler.formats.naming import format_of_media
from crawler.formats.spec import bounded
from crawler.formats.table import FORMATS
from crawler.links import media_type

#: Bytes from the start by which a body's kind is told; WHATWG MIME sniffing reads 1,445.
SNIFFED = 2_048
EXTRACTOR = "none/1"

_HTML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?(?:\s++|<!--(?:[^-]|-(?!->))*+-->|<\?xml[^>]*>)*+<(?:!doctype\s+html|html|head|body)[\s>]",
    re.IGNORECASE,
)
_JSON = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*[\[{]\s*[\"\[{\]}0-9tfn-]")
_FRONT_MATTER = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:---[ \t]*\r?\n[\w\"'-]+\s*:|\+\+\+[ \t]*\r?\n)")
_HEADING = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*#{1,6} \S")
_MAGIC = (
    (b"%PDF-", "pdf"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
)
_MAGIC_MARKS = tuple(mark for mark, _ in _MAGIC)
_XML = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*<(?:\?xml|rss|feed|urlset|sitemapindex)[\s>]", re.IGNORECASE
)


def parse(format: str, body: bytes, url: str, content_type: str = "") -> Facts:
    """Return what ``body`` (content coding undone), served at ``url``, says of its article.

    Raises Malformed. A format without a parser has no facts of its own.
    """
    spec = FORMATS.get(format)
    if spec is None:
        return Facts(source="other", extractor=EXTRACTOR)
    facts = spec.parse(body, url, content_type)
    return bounded(facts) if facts.particulars else facts


def sniff(body: bytes, content_type: str = "") -> str | None:
    """Name what the bytes look like: a format, or ``xml``, ``pdf``, ``zip`` …; None for bare text.

    ``content_type`` decides only between kinds of text that look alike.
    """
    start = bytes(body[:SNIFFED])
    if start.startswith(_MAGIC_MARKS):
        return next(name for mark, name in _MAGIC if start.startswith(mark))
    if _HTML.match(start):
        return "html"
    return "xml" if _XML.match(start) else _sniff_text(start, content_type)


def _sniff_text(start: bytes, content_type: str) -> str | None:
    declared = format_of_media(media_type(content_type))
    if _JSON.match(start):
        return "jsonld" if declared == "jsonld" or b'"@context"' in start else "json"
    if _FRONT_MATTER.match(start) or (_HEADING.match(start) and declared != "text"):
        return "markdown"
    return "text" if declared == "text" else None


def check_claim(format: str, content_type: str, body: bytes) -> str | None:
    """Return why ``body`` is not the ``format`` it claims to be, in a sentence; None if it may be.

    The bytes decide; ``content_type`` only tells a record from a text that looks like one.
    """
    if not body or body.isspace():
        return "the body is empty"
    looks = sniff(body)
    if format == "html":
        return _not_html(body, looks)
    if looks == "html":
        return f"it is HTML under the address of {format}"
    # Whether JSON is JSON is left to `parse`, which reads it whole and in its own charset.
    spec = FORMATS.get(format)
    return _not_text(format, content_type, body, looks) if spec and spec.bare else None


def _not_html(body: bytes, looks: str | None) -> str | None:
    if looks not in (None, "html", "xml"):
        return f"it is {looks} and not HTML"
    if _is_binary(body):
        return "it is binary and not HTML"
    return None if b"<" in body or b"\x00<" in body else "it is text without any markup"


def _not_text(name: str, content_type: str, body: bytes, looks: str | None) -> str | None:
    if looks not in (None, "markdown", "text", "json", "jsonld"):
        return f"it is {looks} and not {name}"
    if looks in ("json", "jsonld") and media_type(content_type).endswith("json"):
        return f"it is JSON under the address of {name}"
    return "it is binary and not text" if _is_binary(body) else None


def _is_binary(body: bytes) -> bool:
    start = bytes(body[:SNIFFED])
    # UTF-16 text is full of zero bytes and says so by its mark.
    return b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff"))
