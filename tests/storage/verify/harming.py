"""Harm done to a mirror at random, one thing at a time, and taken back: flips, cuts and swaps.

Run as a program it harms a copy of a mirror many times and says what verifying did not find, or
found without naming the file that was harmed and what to do:
``python -m tests.storage.verify.harming MIRROR TIMES [SEED]``. A thousand take some minutes.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from storage.verify.found import Problem, Report
from storage.verify.whole import Asked, verify
from tests.storage.drafts import SegmentFile, copied, segments_of

#: Tables that manifests make whole, and of shared ones the columns that they alone decide.
COLUMNS = {
    "sites": ("name", "scope", "implicit"),
    "segments": ("name", "site", "committed"),
    "articles": ("site", "slug", "url", "last", "newest", "placed"),
    "snapshots": None,
    "events": None,
    "representations": None,
    "files": ("mark", "folder"),
    "urls": ("mark", "format", "article", "file"),
    "names": ("name", "slug", "site", "is_url"),
}
SINCE = datetime(2020, 1, 1, tzinfo=UTC)


def problems(root: Path, *, deep: bool = False) -> list[Problem]:
    """Return what verifying finds wrong; it must end in a report that agrees."""
    *found, report = verify(root, Asked(since=SINCE, deep=deep))
    wrong = [each for each in found if isinstance(each, Problem)]
    assert isinstance(report, Report)
    assert report.sound == (not wrong)
    return wrong


@dataclass(frozen=True)
class Harm:
    """One harm: what was done to the file of which name, and how it is taken back."""

    said: str
    file: str
    undo: Callable[[], object]

    def is_told(self, found: Iterable[Problem]) -> bool:
        """Tell whether a problem names the file, and each one says what to do."""
        told = list(found)
        named = any(each.file.rpartition("/")[2] == self.file for each in told)
        return named and all(each.advice for each in told)


@contextmanager
def harmed(root: Path, random: Random) -> Iterator[Harm]:
    """Do one harm, give it, and take it back."""
    kinds: list[Callable[[Path, Random], Harm]] = [
        _flip, _flip, _flip, _cut, _swap,
    ]  # fmt: skip
    if (root / "index.sqlite").exists():
        # SQLite alone keeps any value in any column
        kinds += [_row_flip, _row_flip, _row_cut, _row_swap]
    harm = random.choice(kinds)(root, random)
    try:
        yield harm
    finally:
        harm.undo()


def _segment(root: Path, random: Random) -> tuple[SegmentFile, bytes]:
    paths = segments_of(root)
    path = random.choices(paths, [len(each.read_bytes()) for each in paths])[0]
    return path, path.read_bytes()


def _flip(root: Path, random: Random) -> Harm:
    path, data = _segment(root, random)
    at = random.randrange(len(data))
    wrong = bytes([data[at] ^ random.randrange(1, 256)])
    path.write_bytes(data[:at] + wrong + data[at + 1 :])
    return Harm(f"flip {path.name} at {at}", path.name, lambda: path.write_bytes(data))


def _cut(root: Path, random: Random) -> Harm:
    path, data = _segment(root, random)
    at = random.randrange(len(data))
    if random.random() < 0.5:
        path.write_bytes(data[:at])
        return Harm(f"cut off {path.name} at {at}", path.name, lambda: path.write_bytes(data))
    length = random.choice((1, 10, 5_000))
    path.write_bytes(data[:at] + data[at + length :])
    said = f"cut {length} out of {path.name} at {at}"
    return Harm(said, path.name, lambda: path.write_bytes(data))


def _swap(root: Path, random: Random) -> Harm:
    path, data = _segment(root, random)
    length = random.choice((1, 1, 16, 3_000))
    length = min(length, len(data) // 4)
    while True:
        one, other = (random.randrange(len(data) - length) for _ in range(2))
        changed = bytearray(data)
        changed[one : one + length] = data[other : other + length]
        changed[other : other + length] = data[one : one + length]
        if changed != data:
            break
    path.write_bytes(changed)
    said = f"swap {length} of {path.name}: {one}, {other}"
    return Harm(said, path.name, lambda: path.write_bytes(data))


def _rows(root: Path, change: Callable[[sqlite3.Connection], str]) -> Harm:
    path = root / "index.sqlite"
    before = path.read_bytes()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        said = change(connection)
        connection.commit()
    return Harm(said, path.name, lambda: path.write_bytes(before))


def _table(connection: sqlite3.Connection, random: Random) -> tuple[str, list[str]]:
    """Choose a table that has rows, the large ones more often, and its columns."""
    sizes = {
        name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in COLUMNS
    }
    filled = [name for name, rows in sizes.items() if rows]
    name = random.choice(filled)
    shown = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
    return name, list(COLUMNS[name] or (column for column in shown if column != "n"))


def _row(connection: sqlite3.Connection, random: Random, table: str) -> dict[str, Any]:
    count = connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    cursor = connection.execute(f"SELECT * FROM {table} LIMIT 1 OFFSET {random.randrange(count)}")
    return dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))


def _same(row: dict[str, Any]) -> tuple[str, list[Any]]:
    return " AND ".join(f'"{name}" IS ?' for name in row), list(row.values())


def _flipped(value: Any, random: Random) -> Any:
    if isinstance(value, str):
        raw = bytearray(value.encode() or b"\0")
        raw[random.randrange(len(raw))] ^= 1 << random.randrange(7)
        text = raw.decode(errors="replace")
        return text if text != value else value + "x"
    if isinstance(value, bytes):
        at = random.randrange(len(value))
        return value[:at] + bytes([value[at] ^ 1 << random.randrange(8)]) + value[at + 1 :]
    if isinstance(value, int):
        return value ^ 1 << random.randrange(max(value.bit_length(), 1) + 1)
    return "x"


def _row_flip(root: Path, random: Random) -> Harm:
    def change(connection: sqlite3.Connection) -> str:
        while True:
            table, columns = _table(connection, random)
            row = _row(connection, random, table)
            column = random.choice(columns)
            value = _flipped(row[column], random)
            where, values = _same(row)
            try:
                connection.execute(
                    f'UPDATE {table} SET "{column}" = ? WHERE {where}', [value, *values]
                )
            except (sqlite3.IntegrityError, UnicodeEncodeError, OverflowError):
                continue
            return f"{table}.{column}: {row[column]!r} to {value!r}"

    return _rows(root, change)


def _row_cut(root: Path, random: Random) -> Harm:
    def change(connection: sqlite3.Connection) -> str:
        table, _ = _table(connection, random)
        row = _row(connection, random, table)
        where, values = _same(row)
        connection.execute(f"DELETE FROM {table} WHERE {where}", values)
        return f"deleted from {table}: {row}"

    return _rows(root, change)


def _row_swap(root: Path, random: Random) -> Harm:
    def change(connection: sqlite3.Connection) -> str:
        while True:
            table, columns = _table(connection, random)
            one, other = (_row(connection, random, table) for _ in range(2))
            column = random.choice(columns)
            if one[column] == other[column]:
                continue
            try:
                for row, value in ((one, other[column]), (other, one[column])):
                    where, values = _same(row)
                    connection.execute(
                        f'UPDATE {table} SET "{column}" = ? WHERE {where}', [value, *values]
                    )
            except sqlite3.IntegrityError:
                connection.rollback()
                continue
            return f"swapped {table}.{column}: {one[column]!r}, {other[column]!r}"

    return _rows(root, change)


def main(source: Path, times: int, seed: int) -> None:
    """Harm a copy of ``source`` so many times; print what was not found."""
    random = Random(seed)
    kinds: dict[str, int] = {}
    missed = 0
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        root = Path(folder) / "m"
        copied(source, root)
        assert not problems(root)
        for _ in range(times):
            with harmed(root, random) as harm:
                what = harm.said.split()[0].partition(".")[0]
                kind = f"{harm.file.rpartition('.')[2]} {what}"
                kinds[kind] = kinds.get(kind, 0) + 1
                found = problems(root)
                if not harm.is_told(found):
                    missed += 1
                    sys.stdout.write(f"NOT FOUND: {harm.said}: {found}\n")
        assert not problems(root)
    sys.stdout.write(f"{times} harms, {missed} not found: {kinds}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int((sys.argv[3:] or ["1"])[0]))
