"""Where the mirrors of these tests are: in their folders, or elsewhere where that is asked for.

``SLUGLINE_TEST_INDEX=postgresql pytest tests/storage`` puts the index of every mirror that a test
makes into a real PostgreSQL, each in a schema of its own, which is dropped after the test.
``SLUGLINE_TEST_SEGMENTS=s3`` puts their segments into a bucket of a real S3 server, each mirror's
into a folder of its own; ``=az`` does so with Azure's protocol, where tests/azure.py has a server.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest
from psycopg import sql

from tests import azure
from tests.postgres import Server
from tests.s3 import BUCKET, S3Server, served

ON_POSTGRES = os.environ.get("SLUGLINE_TEST_INDEX") == "postgresql"
_MIRRORS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'mirror_%'"
_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid != pg_backend_pid()
"""
KIND = os.environ.get("SLUGLINE_TEST_SEGMENTS")
IN_BUCKET = KIND in {"s3", "az"}


@pytest.fixture(scope="session")
def index_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Give the URL of the database that mirrors have their index in, None: in their folders."""
    if not ON_POSTGRES:
        yield None
        return
    server: Server = request.getfixturevalue("postgres")
    with server.database() as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLUGLINE_INDEX", url)
        yield url


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """Give an S3 server, which the environment leads to."""
    with served() as server:
        yield server


@pytest.fixture(scope="session")
def segments_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Give the URL below which mirrors have their segments, None: in their folders."""
    if not IN_BUCKET:
        yield None
        return
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        if KIND == "az":
            stack.enter_context(azure.served())
        else:
            request.getfixturevalue("s3")
        url = f"{KIND}://{BUCKET}/mirrors/"
        patch.setenv("SLUGLINE_SEGMENTS", url)
        yield url


@pytest.fixture(autouse=True)
def in_bucket(request: pytest.FixtureRequest, segments_url: str | None) -> None:
    """Leave out what is about segment files where segments are objects."""
    about = request.node.get_closest_marker("segment_files")
    if segments_url is not None and about is not None:
        pytest.skip(about.args[0])


@pytest.fixture(autouse=True)
def elsewhere(request: pytest.FixtureRequest, index_url: str | None) -> Iterator[None]:
    """Drop the schemas of the mirrors that a test made; those of its module may be there before."""
    if index_url is None:
        yield
        return
    if about := request.node.get_closest_marker("index_file"):
        pytest.skip(about.args[0])
    with psycopg.connect(index_url, autocommit=True) as connection:
        before = set(connection.execute(_MIRRORS).fetchall())
    yield
    with psycopg.connect(index_url, autocommit=True) as connection:
        # A test that failed may have left a transaction open, which a drop would wait for.
        connection.execute(_END_OTHERS)
        made = set(connection.execute(_MIRRORS).fetchall()) - before
        for (name,) in made:
            drop = sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name))
            connection.execute(drop)
