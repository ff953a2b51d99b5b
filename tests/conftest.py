"""What every test shares: a real PostgreSQL for those that ask, no deadline for property tests.

CI machines are slow at times.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres import Server, shared_server

settings.register_profile("slugline", deadline=None)
settings.load_profile("slugline")


def pytest_collection_finish() -> None:
    """Spare the collector what lives to the end: thousands of tests, and all they import."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """Give the PostgreSQL that all test processes share."""
    with shared_server() as server:
        yield server


@pytest.fixture
def database(postgres: Server) -> Iterator[str]:
    """Give the URL of an empty database of this test's own."""
    with postgres.database() as url:
        yield url
