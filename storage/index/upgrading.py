"""PostgreSQL's tables, made and moved to what this code has by alembic. Loads SQLAlchemy.

migrations/ is packaged with the code: a revision a change of schema.py, each with the number that
rows.SCHEMA_VERSION then had. A test holds what they make together with schema.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import StaticPool, create_engine
from sqlalchemy.exc import DBAPIError

_HERE = Path(__file__).parent / "migrations"


def upgrade(raw: psycopg.Connection[tuple[Any, ...]], schema: str, key: int) -> None:
    """Make ``schema`` and its tables, or move them, in one transaction of a fresh connection.

    ``key`` is of the lock that writers hold, so that of several that come at once one does it.
    Raises psycopg.Error.
    """
    try:
        _upgrade(raw, schema, key)
    except DBAPIError as error:
        raise error.orig or error from error


def _upgrade(raw: psycopg.Connection[tuple[Any, ...]], schema: str, key: int) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)
    with engine.begin() as connection:
        run = connection.exec_driver_sql
        run("SELECT pg_advisory_xact_lock(%s::bigint)", (key,))
        # IF NOT EXISTS asks for the right to make it even where it is there.
        if run("SELECT to_regnamespace(quote_ident(%s))", (schema,)).scalar() is None:
            run(f'CREATE SCHEMA "{schema}"')
        run("SELECT set_config('search_path', quote_ident(%s), true)", (schema,))
        config = Config()
        config.set_main_option("script_location", str(_HERE).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
