"""Where a queue is: from a URL to a connection, without secrets."""

from __future__ import annotations

from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from crawler.cluster.place import QueuePlace, queue_place
from storage.errors import UnusablePlace
from storage.layout import Places

ROOT = Places(root=Path("mirror"))


def told(place: QueuePlace) -> dict[str, object]:
    return dict(conninfo_to_dict(place.conninfo))


def test_the_queue_has_a_schema_of_its_own_beside_the_archives() -> None:
    place = queue_place("postgresql://me@db.example:5433/news?schema=daily&sslmode=require", ROOT)
    assert place.schema == "daily_queue"
    connection = told(place)
    assert connection["options"] == "-csearch_path=daily_queue"
    assert (connection["host"], connection["port"]) == ("db.example", "5433")
    assert (connection["dbname"], connection["sslmode"]) == ("news", "require")


def test_without_a_schema_it_is_sluglines() -> None:
    assert queue_place("postgresql://db.example/news", ROOT).schema == "slugline_queue"


def test_a_connection_notices_that_its_other_end_is_gone() -> None:
    connection = told(queue_place("postgresql://db.example/news", ROOT))
    assert connection["tcp_user_timeout"] == "10000"


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(UnusablePlace, match="PGPASSWORD") as refused:
        queue_place("postgresql://me:verysecret@db.example/news", ROOT)
    assert "verysecret" not in str(refused.value)


@pytest.mark.parametrize("schema", ["Daily", "a-b", "x" * 60, "1st"])
def test_a_schema_that_would_need_quotes_is_refused(schema: str) -> None:
    with pytest.raises(UnusablePlace, match="no schema can be called"):
        queue_place(f"postgresql://db.example/news?schema={schema}", ROOT)


def test_what_is_said_of_a_place_names_database_and_host() -> None:
    assert queue_place("postgresql://me@db.example/news", ROOT).shown == "news on db.example"
