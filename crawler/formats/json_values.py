"""JSON as publishers write it: bounded reading, and values by what they mean.

RFC 8259, with two mercies that JSON-LD in the wild needs: control characters inside strings,
and a wrapping comment or CDATA mark. Nesting is bounded by a linear scan before anything is
built. Pure; raises facts.Malformed only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from html import unescape
from typing import Any

import msgspec

from crawler.facts import Malformed
from crawler.folding import fold
from crawler.urls import normalise
from storage.model import Stamp
from storage.times import EARLIEST, parse_declared

#: Levels of nesting; schema.org graphs use about 10, msgspec gives up near 1,000.
MAX_DEPTH = 200
#: Bytes of one JSON text, as of any document (`charset.MAX_READ`).
MAX_BYTES = 8 << 20
#: Values of one text: each takes about 100 bytes, and a list with a record a page has thousands.
MAX_VALUES = 500_000
#: Names kept of one list (authors, topics, entities); the longest seen have about 100.
MAX_NAMES = 500
#: One-line texts remembered, and the characters of one: a site has few authors and topics, and two
#: or three formats of an article name the same.
_REMEMBERED, _SHORT = 512, 128
#: Unix seconds between 1990 and 2100; a thousand times that are milliseconds.
_EPOCH_SECONDS = (631_152_000, 4_102_444_800)
_MILLI = 1_000
#: Where an object keeps its text, and where its address.
_TEXTS = ("@value", "rendered", "name", "headline", "text", "value")
_PLACES = ("@id", "url", "contentUrl", "@value")

_STRUCTURE = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[\]{}]', re.DOTALL)
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\Z)|[\[{,]', re.DOTALL)
_WRAPPING = re.compile(
    r"\A\s*(?:<!--|//\s*<!\[CDATA\[|/\*\s*<!\[CDATA\[\s*\*/|<!\[CDATA\[)"
    r"|(?:-->|//\s*\]\]>|/\*\s*\]\]>\s*\*/|\]\]>)\s*\Z"
)
#: An escape in a string; the group is half of a pair that stands alone, which is no character.
_ESCAPE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)
#: Markup inside a one-line field; "Vec<T>" is none.
_TAG = re.compile(
    r"</?(?:a|abbr|b|br|cite|code|em|i|mark|p|q|s|small|span|strong|sub|sup|u|wbr)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)


def load_json(data: bytes | str) -> Any:
    """Parse one JSON text. Raises Malformed where it is none or nests too deep."""
    raw = data.encode("utf-8", "replace") if isinstance(data, str) else data
    raw = raw.removeprefix(b"\xef\xbb\xbf")
    if len(raw) > MAX_BYTES:
        raise Malformed(f"its JSON is longer than {MAX_BYTES:,} bytes, the most that is read")
    _check_count(raw)
    _check_depth(raw)
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _load_leniently(raw)


def _load_leniently(raw: bytes) -> Any:
    text = _WRAPPING.sub("", raw.decode("utf-8", "replace"))
    # RFC 8259 section 8.2: half a pair is unpredictable; text that holds one can't be written down.
    text = _ESCAPE.sub(lambda found: "\\ufffd" if found[1] else found[0], text)
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON: {error}") from None


def _check_count(raw: bytes) -> None:
    # So short a text has no room for them, and counting takes as long as reading it.
    if len(raw) <= MAX_VALUES or sum(map(raw.count, (b",", b"[", b"{"))) <= MAX_VALUES:
        return
    # A novel has as many commas, inside its strings.
    if sum(len(each) == 1 and each not in b"]}" for each in _MARKS.findall(raw)) > MAX_VALUES:
        raise Malformed(f"its JSON holds more than {MAX_VALUES:,} values")


def _check_depth(raw: bytes) -> None:
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _STRUCTURE.finditer(raw):
        mark = raw[token.start()]
        if mark in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise Malformed(f"its JSON nests deeper than {MAX_DEPTH} levels")
        elif mark in b"]}":
            depth -= 1


def text_of(value: Any) -> str | None:
    """Return the text of ``value``: a string, a number, a list's first, or an object's own.

    White space is stripped; empty is None.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        value = _innermost(value, _TEXTS)
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def plain_text_of(value: Any) -> str | None:
    """Return ``text_of`` as one line, inline tags and character references undone."""
    text = text_of(value)
    if text is None:
        return None
    return (_short_line if len(text) <= _SHORT else _line)(text) or None


def _line(text: str) -> str:
    if "<" in text:
        text = _TAG.sub("", text)
    return fold(unescape(text))


_short_line = lru_cache(_REMEMBERED)(_line)


def names_of(value: Any) -> tuple[str, ...]:
    """Return the names in ``value``: a list's strings and named objects, or what commas part."""
    return unique(value.split(",")) if isinstance(value, str) else entries_of(value)


def entries_of(value: Any) -> tuple[str, ...]:
    """Return the names in ``value``, commas being part of a name."""
    if value is None:
        return ()
    items = value[:MAX_NAMES] if isinstance(value, list) else [value]
    named = [plain_text_of(item) for item in items if not isinstance(item, int | float)]
    return unique([name for name in named if name])


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """``names`` stripped, each once, in order, without the empty ones."""
    stripped = [name.strip() for name in names]
    return tuple(dict.fromkeys([name for name in stripped if name]))[:MAX_NAMES]


def url_text_of(value: Any) -> str | None:
    """Return the URL in ``value``: a string, or an object's ``@id``, ``url``, ``contentUrl``."""
    if not isinstance(value, str):
        value = _innermost(value, _PLACES)
    return (value.strip() or None) if isinstance(value, str) else None


def first_url(fields: Mapping[str, Any], names: Iterable[str], base: str) -> str | None:
    """Return the first field among ``names`` that is a URL, normalised against ``base``."""
    for name in names:
        text = url_text_of(fields[name]) if name in fields else None
        url = normalise(text, base) if text else None
        if url is not None:
            return url
    return None


def stamp_of(value: Any) -> Stamp | None:
    """Return the moment in ``value``: a date as publishers write it, or Unix (milli)seconds."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _epoch(value)
    text = value.strip() if isinstance(value, str) else text_of(value)
    return parse_declared(text) if text else None


def _epoch(number: int) -> Stamp | None:
    low, high = _EPOCH_SECONDS
    if low <= number <= high:
        return Stamp(at=datetime.fromtimestamp(number, UTC), unit="second", offset=0)
    if low * _MILLI <= number <= high * _MILLI:
        at = datetime.fromtimestamp(number // _MILLI, UTC)
        at = at.replace(microsecond=number % _MILLI * 1000)
        return Stamp(at=at, unit="millisecond", offset=0)
    return None


def first_stamp(values: Iterable[Any]) -> Stamp | None:
    """Return the first moment of ``values`` with a zone, else without, from 1990 on; else any.

    Templates print a zero date where they know none ("0001-01-01"); a later field may know.
    """
    real = unreal = None
    for value in values:
        stamp = None if value is None else stamp_of(value)
        if stamp is None:
            continue
        if stamp.at < EARLIEST:
            unreal = unreal or stamp
        elif stamp.offset is not None:
            return stamp
        else:
            real = real or stamp
    return real or unreal


def _innermost(value: Any, names: tuple[str, ...]) -> Any:
    """Return what lists and objects are wrapped around: the first item, the first of ``names``."""
    for _ in range(MAX_DEPTH):
        if isinstance(value, list):
            value = value[0] if value else None
        elif isinstance(value, dict):
            value = _first_of(value, names)
        else:
            break
    return value


def _first_of(value: dict[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if found := value.get(name):
            return found
    return None
