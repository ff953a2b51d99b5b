"""Which database a mirror's index is in: the file in its folder, or what mirror.json names.

PostgreSQL's half is loaded where a mirror has its index there, and nowhere else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from storage import layout
from storage.errors import IndexUnusable, MissingExtra
from storage.index.database import Database
from storage.index.sqlite import Sqlite
from storage.layout import Places

if TYPE_CHECKING:
    from storage.index.postgres import Postgres


def is_there(root: Path) -> bool:
    """Tell whether the mirror at ``root`` has an index, of whatever kind and state."""
    return is_at(places_of(root))


def is_at(places: Places) -> bool:
    """Tell whether there is an index at ``places``."""
    if places.index is None:
        return (places.root / layout.INDEX).exists()
    try:
        _postgres(places, "to_read").close()
    except IndexUnusable:
        return False
    return True


def name_of(places: Places) -> str:
    """Return what people are told that the index at ``places`` is: a file, or a database."""
    if places.index is None:
        return layout.INDEX
    from storage.index.database_url import DatabaseUrl  # noqa: PLC0415  - not for a folder

    return DatabaseUrl.parse(places.index).name


def to_read(places: Places) -> Database:
    """Open the index at ``places`` for reading. Raises IndexUnusable, StoreFailed."""
    return Sqlite.to_read(places.root) if places.index is None else _postgres(places, "to_read")


def to_write(places: Places) -> Database:
    """Open it for writing, made where it is not there; its tables may be missing yet."""
    return Sqlite.to_write(places.root) if places.index is None else _postgres(places, "to_write")


def to_fill(places: Places) -> Database:
    """Make a new one aside, which nobody reads before it is put in place."""
    return Sqlite.to_fill(places.root) if places.index is None else _postgres(places, "to_fill")


def remove(places: Places) -> None:
    """Remove the index that is at ``places``. Raises LockHeld where others write it."""
    if places.index is None:
        Sqlite.remove(places.root)
    else:
        _postgres(places, "to_fill").remove()


def places_of(root: Path) -> Places:
    """Return where a mirror is; a folder that is none yet has all in it."""
    return layout.check(root) if (root / layout.MARK).is_file() else Places(root=root)


def _postgres(places: Places, how: str) -> Postgres:
    try:
        from storage.index.database_url import DatabaseUrl  # noqa: PLC0415  - not for a folder
        from storage.index.postgres import Postgres  # noqa: PLC0415  - psycopg, an extra
    except ImportError as error:
        package = error.name or "psycopg"
        raise MissingExtra("an index in PostgreSQL", package, "cluster") from error
    opened: Postgres = getattr(Postgres, how)(places.root, DatabaseUrl.parse(places.index or ""))
    return opened
