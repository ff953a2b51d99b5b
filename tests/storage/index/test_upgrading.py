"""PostgreSQL's tables, made and moved: once, by whom may, and as the schema says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import StaticPool, create_engine

from storage.archive import Archive
from storage.errors import ArchiveError, IndexUnusable
from storage.index.database_url import DatabaseUrl
from storage.index.index import Index
from storage.index.postgres_spelling import register
from storage.index.reader import Reader
from storage.index.rows import SCHEMA_VERSION
from storage.index.schema import metadata
from storage.search.fulltext import Question
from storage.search.opening import search
from tests.postgres import Server
from tests.storage.drafts import article, stored
from tests.storage.index.postgres_mirrors import at_once, mirror, sequences


def _ours(_: object, name: str, kind: str, reflected: bool, other: object) -> bool:
    # PostgreSQL's keys of URLs are migrations' alone.
    return not (kind == "index" and reflected and name.endswith("_key"))


@pytest.fixture(scope="module")
def raw(postgres: Server) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        register(connection)
        yield connection


def test_several_first_writers_make_the_tables_once(tmp_path: Path, database: str) -> None:
    roots = [mirror(tmp_path / str(number), database) for number in range(4)]
    at_once(*(lambda root=root: Index.to_write(root).close() for root in roots))
    assert sequences(roots[0]) == {}


def test_who_may_not_make_a_schema_is_told(tmp_path: Path, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE reader LOGIN")
    try:
        with pytest.raises(ArchiveError, match="permission denied"):
            Index.to_write(mirror(tmp_path, database.replace("postgres@", "reader@")))
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP ROLE reader")


def test_whose_schemas_are_there_needs_no_right_to_make_any(tmp_path: Path, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE writer LOGIN")
        for name in ("news", "news_texts"):
            connection.execute(f"CREATE SCHEMA {name}")
            connection.execute(f"GRANT USAGE, CREATE ON SCHEMA {name} TO writer")
    try:
        root = mirror(tmp_path, database.replace("postgres@", "writer@"))
        stored(root, article())
        with Archive.open(root) as archive:
            assert len(search(archive, Question(words="story"))) == 1
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY writer")
            connection.execute("DROP ROLE writer")


def test_the_migrations_make_what_the_schema_says(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database)
    Index.to_write(root).close()
    plain = DatabaseUrl.parse(f"{database}&schema=news").plain
    raw = psycopg.connect(plain, options="-csearch_path=news")
    engine = create_engine("postgresql+psycopg://", creator=lambda: raw, poolclass=StaticPool)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": _ours})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == str(SCHEMA_VERSION)
    raw.close()


def test_an_index_of_a_later_slugline_says_so(tmp_path: Path, database: str) -> None:
    root = mirror(tmp_path, database)
    index = Index.to_write(root)
    index.set_note("schema", str(SCHEMA_VERSION + 1))
    index.close()
    for opened in (Reader.to_read, Index.to_write):
        with pytest.raises(IndexUnusable, match="another slugline"):
            opened(root)
