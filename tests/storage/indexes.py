"""A mirror's index taken away, changed behind slugline's back, and set back: of either kind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from storage import layout
from storage.index.database_url import DatabaseUrl
from storage.index.index import Index
from storage.index.schema import metadata


def lose(root: Path) -> None:
    """Remove the index."""
    url = layout.check(root).index
    if url is None:
        for end in ("", "-wal", "-shm"):
            (root / f"{layout.INDEX}{end}").unlink(missing_ok=True)
        return
    there = DatabaseUrl.parse(url)
    with psycopg.connect(there.plain, autocommit=True) as connection:
        drop = sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(there.schema))
        connection.execute(drop)


def change(root: Path, *statements: str) -> None:
    """Run statements in one transaction."""
    index = Index.to_write(root)
    with index.begin("changing the index") as connection:
        for statement in statements:
            connection.execute(statement)
    index.close()


def rows(root: Path, question: str) -> list[tuple[Any, ...]]:
    """Return the rows of a question."""
    index = Index.to_read(root)
    found = [tuple(row.values()) for row in index.ask(question)]
    index.close()
    return found


def kept(root: Path) -> Callable[[Path], None]:
    """Remember all that the index holds now; what is returned gives it to a mirror's index."""
    before = {name: _all(root, name) for name in metadata.tables}

    def set_back(root: Path) -> None:
        index = Index.to_write(root)
        with index.begin("setting the index back") as connection:
            for name, table in before.items():
                connection.execute(f"DELETE FROM {name}")
                for row in table:
                    names = ", ".join(f'"{column}"' for column in row)
                    values = ", ".join(f":{column}" for column in row)
                    connection.execute(f"INSERT INTO {name} ({names}) VALUES ({values})", row)
                if layout.check(root).index is not None and table and "n" in table[0]:
                    # A table's numbers go on behind those that were given to it.
                    last = max(row["n"] for row in table)
                    connection.execute(
                        "SELECT setval(pg_get_serial_sequence(:name, 'n'), :last)",
                        {"name": name, "last": last},
                    )
        index.close()

    return set_back


def _all(root: Path, name: str) -> list[dict[str, Any]]:
    index = Index.to_read(root)
    found = index.ask(f"SELECT * FROM {name}")
    index.close()
    return found
