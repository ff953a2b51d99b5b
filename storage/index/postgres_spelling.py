"""Statements and values as PostgreSQL spells them: placeholders, keys of URLs, packed ids, sums."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import psycopg
from psycopg.adapt import Buffer, Dumper, Loader
from psycopg.types.string import StrDumperUnknown

from storage.index.database import Given, Insert
from storage.index.packing import Packed

Raw: TypeAlias = psycopg.Connection[tuple[Any, ...]]

#: A text in quotes, a cast, one of our placeholders, or what psycopg would take for one of its own.
_TOKEN = re.compile(r"'[^']*'|::|:(?P<name>[A-Za-z_]\w*)|(?P<place>\?)|(?P<percent>%)")
#: Keys with URLs in them, which a B-tree may have no room for: see migrations/.
_LONG_KEYS = {
    "site, url": "site, md5(url)",
    "site, key": "site, md5(key)",
    "site, name, slug": "site, md5(name), md5(slug)",
}
#: Bytes of a UUID and of a SHA-256.
_PACKED_SIZES = (16, 32)


class Session:
    """Statements inside a transaction, spelled as SQLite's are."""

    def __init__(self, connection: Raw) -> None:
        """Use ``connection``, which has a transaction open."""
        self._connection = connection

    def execute(self, sql: str, values: Given = (), /) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement."""
        return self._connection.execute(translated(sql), values)

    def executemany(self, sql: str, rows: Iterable[Given], /) -> None:
        """Run one statement once a row, without waiting for each."""
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(sql), rows)

    def insert(self, into: Insert, rows: Sequence[Sequence[Any]], /) -> None:
        """Put rows in, each with the values of the columns in their order."""
        # One by one: of two rows with one key, a statement for both would be refused.
        self.executemany(into.sql(), rows)

    def numbers(self, sql: str, rows: Iterable[Given], /) -> list[Any]:
        """Run one statement that gives one row, once a row, and return what they gave."""
        asked = list(rows)
        if not asked:
            return []
        with self._connection.cursor() as cursor:
            cursor.executemany(translated(sql), asked, returning=True)
            found = [cursor.fetchone()]
            while cursor.nextset():
                found.append(cursor.fetchone())
            return found


@lru_cache(maxsize=512)
def translated(text: str) -> bytes:
    """Return a statement with psycopg's placeholders for ours."""

    def spelled(found: re.Match[str]) -> str:
        if found["name"]:
            return f"%({found['name']})s"
        if found["place"]:
            return "%s"
        return found[0].replace("%", "%%")

    for ours, theirs in _LONG_KEYS.items():
        text = text.replace(f"ON CONFLICT ({ours})", f"ON CONFLICT ({theirs})")
    return _TOKEN.sub(spelled, text).encode()


class _TextDumper(StrDumperUnknown):
    """Text without the one character that PostgreSQL can't keep."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\0", "\ufffd"))


class _PackedDumper(Dumper):
    """An id or digest of another make: its text and one NUL, two where that looks like a UUID."""

    oid = psycopg.adapters.types["bytea"].oid

    def dump(self, obj: Packed) -> Buffer | None:
        if not obj:
            return b"\\x"
        data = obj.encode("utf-8", "surrogatepass") + b"\0"
        return b"\\x" + (data + b"\0" * (len(data) in _PACKED_SIZES)).hex().encode()


class _PackedLoader(Loader):
    """What was packed, of bytes in hexadecimal."""

    def load(self, data: Buffer) -> bytes | Packed:
        found = bytes.fromhex(bytes(data[2:]).decode())
        if len(found) in _PACKED_SIZES:
            return found
        return Packed(found.rstrip(b"\0").decode("utf-8", "surrogatepass"))


class _WholeLoader(Loader):
    """Sums, which PostgreSQL gives as ``numeric``: ours are whole."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def register(connection: Raw) -> None:
    """Have a connection keep our values as they are."""
    connection.adapters.register_dumper(str, _TextDumper)
    connection.adapters.register_dumper(Packed, _PackedDumper)
    connection.adapters.register_loader("bytea", _PackedLoader)
    connection.adapters.register_loader("numeric", _WholeLoader)
