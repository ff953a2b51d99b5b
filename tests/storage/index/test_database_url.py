"""A database's URL: what is ours of it, and what libpq is told."""

from __future__ import annotations

import pytest

from storage.errors import UnusablePlace
from storage.index.database_url import DEFAULT_SCHEMA, PATIENCE_SECONDS, DatabaseUrl
from storage.layout import with_schema


def test_what_is_ours_is_taken_out_and_the_rest_is_libpqs() -> None:
    found = DatabaseUrl.parse("postgresql://me@db:5433/news?sslmode=require&schema=a&patience=1.5")
    assert found.plain == "postgresql://me@db:5433/news?sslmode=require"
    assert (found.schema, found.patience) == ("a", 1.5)
    assert found.name == "postgresql://me@db:5433/news?schema=a"


def test_a_url_without_them_has_defaults() -> None:
    found = DatabaseUrl.parse("postgresql://db/news")
    assert found.plain == "postgresql://db/news"
    assert (found.schema, found.patience) == (DEFAULT_SCHEMA, PATIENCE_SECONDS)


def test_a_socket_folder_stays_as_it_is() -> None:
    url = "postgresql://postgres@/news?host=/run/a%20b"
    assert DatabaseUrl.parse(url).plain == url


@pytest.mark.parametrize("url", ["postgresql:///news", "postgresql:///news?host=/run"])
def test_a_database_on_this_machine_needs_no_host(url: str) -> None:
    assert DatabaseUrl.parse(url).plain == url
    assert DatabaseUrl.parse(with_schema(url, "a")).plain == url


@pytest.mark.parametrize("schema", ["", "News", "a-b", 'a"b', "pg_a", "1a", "a" * 60, "a b"])
def test_a_schema_that_needs_quoting_is_refused(schema: str) -> None:
    with pytest.raises(UnusablePlace, match="no schema"):
        DatabaseUrl.parse(f"postgresql://db/news?schema={schema}&x=1")


@pytest.mark.parametrize("schema", ["public", "information_schema"])
def test_a_schema_that_others_use_is_refused(schema: str) -> None:
    with pytest.raises(UnusablePlace, match="not an archive's own"):
        DatabaseUrl.parse(f"postgresql://db/news?schema={schema}")


@pytest.mark.parametrize("patience", ["soon", "-1", "inf", "nan"])
def test_patience_is_a_number_of_seconds(patience: str) -> None:
    with pytest.raises(UnusablePlace, match="patience"):
        DatabaseUrl.parse(f"postgresql://db/news?patience={patience}")
