"""Records files: the list of articles a user hands over with ``--records``.

Read here: one JSON object or an array of them in the seed's shape, either wrapped in an object
(``{"articles": […]}``), JSON Lines (a line each), or a plain list of URLs, a line each, with
``#`` comments. A list and a hint: what is fetched has the last word. The file is the user's
own, so anything unreadable is an error with its line, never a guess. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from crawler.urls import normalise
from storage.model import Record, Stamp
from storage.times import parse_declared

#: Records of one file; a list that long is several sites' worth, and fits in memory still.
MAX_RECORDS = 1_000_000
#: Characters of a wrong value that an error quotes.
_MAX_QUOTE = 60

_WRAPPERS = ("articles", "records", "items", "entries", "posts")
_OFFSET = re.compile(r"\(byte (\d+)\)")


class RecordsError(ValueError):
    """A records file that can't be read: the file, the line and what is wrong, in a sentence."""


class RecordHint(Struct, frozen=True, kw_only=True):
    """One article of the list: its entry URL, normalised, and the record if the file has one.

    ``record`` keeps the file's own words; its ``slug`` is empty where the file gives none.
    ``updated`` and ``published`` are its times with the exactness they were written in.
    """

    record: Record | None
    url: str
    line: int
    updated: Stamp | None = None
    published: Stamp | None = None


def parse_records(data: bytes, name: str) -> tuple[RecordHint, ...]:
    """Return the articles listed in ``data``, the first of each URL; ``name`` is the file's.

    Raises RecordsError: "NAME, line N: what is wrong".
    """
    text = _Text(data, name)
    hints: dict[str, RecordHint] = {}
    for line, value in _values(text):
        try:
            hint = _hint(value, line)
        except ValueError as error:
            raise text.error(line, str(error)) from error
        hints.setdefault(hint.url, hint)
        if len(hints) > MAX_RECORDS:
            raise text.error(line, f"more than {MAX_RECORDS:,} articles in one file")
    if not hints:
        raise RecordsError(f"{name}: no article in it")
    return tuple(hints.values())


class _Text:
    """A records file: its bytes, and the line of each."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.data = data.removeprefix(b"\xef\xbb\xbf")
        try:
            self.data.decode()
        except UnicodeDecodeError as error:
            raise self.error(self.line(error.start), "this is not UTF-8") from error

    def line(self, offset: int) -> int:
        return self.data.count(b"\n", 0, offset) + 1

    def error(self, line: int, what: str) -> RecordsError:
        return RecordsError(f"{self.name}, line {line}: {what}")

    def load(self, raw: bytes | msgspec.Raw, start: int, kind: Any) -> Any:
        """Decode JSON that begins at byte ``start``; errors name the line in the file."""
        try:
            return msgspec.json.decode(raw, type=kind)
        except msgspec.DecodeError as error:
            found = _OFFSET.search(str(error))
            offset = int(found[1]) if found else len(bytes(raw).rstrip())
            what = "the JSON ends too early" if not found else f"no JSON: {error}"
            raise self.error(self.line(start + offset), what) from error
        except RecursionError as error:
            raise self.error(self.line(start), "the JSON is nested too deep") from error


def _values(text: _Text) -> Iterator[tuple[int, Any]]:
    """Yield each article's line and value: a str for a bare URL, else whatever JSON it is."""
    first = text.data.lstrip()[:1]
    start = len(text.data) - len(text.data.lstrip())
    if first == b"[":
        yield from _elements(text, text.data, 0)
    elif first == b'"' or (first == b"{" and _is_lines(text.data)):
        yield from _json_lines(text)
    elif first == b"{":
        yield from _object(text, start)
    else:
        yield from _url_lines(text)


def _is_lines(data: bytes) -> bool:
    """Whether the first line is JSON by itself and another line follows."""
    head, _, rest = data.strip().partition(b"\n")
    if not rest.strip():
        return False
    try:
        msgspec.json.decode(head)
    except (msgspec.DecodeError, RecursionError):
        # a line that opens an object and ends inside it begins a pretty-printed one
        return not head.strip().endswith((b"{", b"[", b","))
    return True


def _elements(text: _Text, raw: bytes, start: int) -> Iterator[tuple[int, Any]]:
    """Yield the elements of the JSON array ``raw``, which begins at byte ``start``."""
    position, line, seen = start, text.line(start), start
    for element in text.load(raw, start, list[msgspec.Raw]):
        piece = bytes(element)
        position = text.data.index(piece, position)
        line += text.data.count(b"\n", seen, position)
        seen = position
        yield line, text.load(element, position, Any)
        position += len(piece)


def _object(text: _Text, start: int) -> Iterator[tuple[int, Any]]:
    fields: dict[str, msgspec.Raw] = text.load(text.data, 0, dict[str, msgspec.Raw])
    wrapped = [key for key in _WRAPPERS if bytes(fields.get(key, b"")).startswith(b"[")]
    if wrapped and not fields.keys() & {"slug", "url"}:
        raw = bytes(fields[wrapped[0]])
        yield from _elements(text, raw, text.data.index(raw, start))
    else:
        yield text.line(start), text.load(text.data, 0, Any)


def _json_lines(text: _Text) -> Iterator[tuple[int, Any]]:
    start = 0
    for number, line in enumerate(text.data.split(b"\n"), 1):
        if line.strip():
            yield number, text.load(line, start, Any)
        start += len(line) + 1


def _url_lines(text: _Text) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.data.decode().split("\n"), 1):
        word = line.strip()
        if word and not word.startswith("#"):
            yield number, word


def _hint(value: object, line: int) -> RecordHint:
    match value:
        case str():
            return RecordHint(record=None, url=_address(value.strip(), "this"), line=line)
        case dict():
            return _record_hint(value, line)
        case _:
            raise ValueError(f"an article must be a JSON object or a URL, not {_quoted(value)}")


def _record_hint(value: dict[str, object], line: int) -> RecordHint:
    """Check one record field by field. Raises ValueError that names the field."""
    alternates = _alternates(value.get("alternates"))
    url = _word(value, "url") or alternates.get("html")
    if not url:
        raise ValueError('a record needs "url", or "alternates" with "html"')
    entry = _address(url, '"url"')
    source = _word(value, "canonical_source") or None
    if source:
        _address(source, '"canonical_source"')
    published, updated = _time(value, "published_at"), _time(value, "updated_at")
    record = Record(
        slug=_word(value, "slug") or "",
        title=_word(value, "title"),
        summary=_word(value, "summary"),
        body_md=_word(value, "body_md"),
        url=url,
        canonical_source=source,
        published_at=published.at if published else None,
        updated_at=updated.at if updated else None,
        lang=_word(value, "lang"),
        topics=_list(value, "topics"),
        entities=_list(value, "entities"),
        alternates=alternates,
    )
    return RecordHint(record=record, url=entry, line=line, updated=updated, published=published)


def _word(fields: dict[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a string", value)
    return value


def _list(fields: dict[str, object], name: str) -> tuple[str, ...]:
    value = fields.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(name, "a list of strings", value)
    return tuple(value)


def _alternates(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong("alternates", "an object of URLs", value)
    urls: dict[str, str] = {}
    for name in value:
        url = _word(value, name)
        if url:
            _address(url, f'"alternates.{name}"')
            urls[name] = url
    return urls


def _time(fields: dict[str, object], name: str) -> Stamp | None:
    text = _word(fields, name)
    if not text:
        return None
    stamp = parse_declared(text)
    if stamp is None:
        raise ValueError(f'"{name}" is no date with one meaning: {_quoted(text)}')
    return stamp


def _address(text: str, name: str) -> str:
    url = normalise(text)
    if url is None:
        raise ValueError(f"{name} is no http:// or https:// address: {_quoted(text)}")
    return url


def _wrong(name: str, wanted: str, value: object) -> ValueError:
    return ValueError(f'"{name}" must be {wanted}, not {_quoted(value)}')


def _quoted(value: object) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _MAX_QUOTE else f"{text[:_MAX_QUOTE]}…"
