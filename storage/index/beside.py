"""The databases beside the index: derived, in files of their own, made again where they are unfit.

Each is a file of SQLite's in the mirror's folder, or in a process's own where that can't be
written. Whoever removes one while others have it open harms nobody: they find another file, or
none, and open that.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import ArchiveError, DiskFull, ReadOnly, StoreFailed, os_errors
from storage.layout import SQLITE_ENDS


def remove(path: Path) -> None:
    """Remove a database, and what SQLite keeps beside it. Raises ArchiveError."""
    with os_errors(f"removing {path}"):
        for end in SQLITE_ENDS:
            path.with_name(path.name + end).unlink(missing_ok=True)


@contextmanager
def derived_errors(
    path: Path, doing: str, unusable: Callable[[Path, str], ArchiveError]
) -> Iterator[None]:
    """Turn SQLite's errors into ours: whose fault it is, and what was being done.

    ``unusable`` makes the error for what is broken or another's, which is made again.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _ours(path, error, doing, unusable) from error


def _ours(
    path: Path, error: sqlite3.Error, doing: str, unusable: Callable[[Path, str], ArchiveError]
) -> ArchiveError:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(f"no room left on the disk while {doing}")
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return ReadOnly(f"may not write in {path.parent} while {doing}")
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR}:
        return StoreFailed(f"failed while {doing}: {error}")
    return unusable(path, f"it is broken ({error})")
