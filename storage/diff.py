"""Two snapshots' words side by side, as a unified diff; and bytes as text, by charset.

Pure. Only text is compared line by line; of anything else it is said that it differs.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from difflib import unified_diff
from typing import Literal

from msgspec import Struct

from storage.model import Manifest
from storage.times import format_utc

#: Lines a side that are compared; past it the comparison takes minutes and helps nobody.
MAX_LINES = 50_000
#: Formats in the order in which their differences are easiest to read.
READABLE = ("markdown", "text", "json", "jsonld", "html")
#: Bytes in which HTML states its charset (WHATWG HTML, "prescan a byte stream").
_PRESCAN = 1_024

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:+-]{1,40})", re.IGNORECASE)
_TEXT_TYPES = re.compile(
    r"text/|application/(?:[\w.+-]*\+)?(?:json|xml|javascript)\b|application/xhtml", re.IGNORECASE
)

Kind = Literal["same", "text", "binary", "too long"]


class Diff(Struct, frozen=True, kw_only=True):
    """What became of a format between two snapshots.

    ``lines`` are a unified diff's, without line ends, where ``kind`` is ``text``; else one sentence
    for people, or none where both are the ``same``.
    """

    kind: Kind
    lines: tuple[str, ...]


class Side(Struct, frozen=True, kw_only=True):
    """One side: its ``name`` in the head, its decoded bytes, its Content-Type as received."""

    name: str
    body: bytes
    content_type: str


def side_name(manifest: Manifest, format: str) -> str:
    """Name a snapshot's format as ``diff`` does: ``slug@UPDATED_AT.rN.format``."""
    moment = format_utc(manifest.key.updated_at) if manifest.key else str(manifest.sequence)
    return f"{manifest.slug}@{moment}.r{manifest.revision} {format}"


def readable_format(old: Manifest, new: Manifest) -> str | None:
    """Return the format to compare where nobody said which; None where both share none."""
    stored = [{r.format for r in side.representations if r.record_id} for side in (old, new)]
    both = stored[0] & stored[1]
    return next((name for name in READABLE if name in both), min(both, default=None))


def compare(old: Side, new: Side, context: int = 3) -> Diff:
    """Compare two sides; ``context`` is unchanged lines around a change."""
    if old.body == new.body:
        return Diff(kind="same", lines=())
    before, after = (text_of(side.body, side.content_type) for side in (old, new))
    if before is None or after is None:
        said = f"{old.name} ({len(old.body)} bytes) and {new.name} ({len(new.body)} bytes) differ"
        return Diff(kind="binary", lines=(said,))
    a, b = _lines(before), _lines(after)
    if max(len(a), len(b)) > MAX_LINES:
        said = f"{old.name} ({len(a)} lines) and {new.name} ({len(b)} lines) differ"
        return Diff(kind="too long", lines=(said,))
    found = unified_diff(a, b, old.name, new.name, lineterm="", n=context)
    return Diff(kind="text", lines=tuple(_told(found)))


def text_of(body: bytes, content_type: str) -> str | None:
    """Return the text by BOM, header, ``<meta>`` or UTF-8; None where it is no text."""
    if content_type and not _TEXT_TYPES.match(content_type.strip()):
        return None
    if not content_type and b"\0" in body[:_PRESCAN]:
        return None
    for name in _charsets(body, content_type):
        try:
            return body.decode(name)
        except (LookupError, UnicodeError):
            continue
    return body.decode("utf-8", "replace")


def _charsets(body: bytes, content_type: str) -> Iterator[str]:
    yield from (name for mark, name in _MARKS if body.startswith(mark))
    if declared := _PARAMETER.search(content_type):
        yield declared[1]
    if stated := _META.search(body[:_PRESCAN]):
        yield stated[1].decode("ascii", "replace")
    yield "utf-8"
    yield "windows-1252"


def _lines(text: str) -> list[str]:
    # Only LF ends a line: str.splitlines would also break at form feeds and U+2028.
    lines = text.split("\n")
    if lines[-1] == "":
        return [f"{line}\n" for line in lines[:-1]]
    return [*(f"{line}\n" for line in lines[:-1]), lines[-1]]


def _told(found: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(found):
        yield line.removesuffix("\n")
        if number > 1 and not line.startswith("@@") and not line.endswith("\n"):
            yield "\\ No newline at end of file"
