"""Mirrors in a bucket, and what stands between them and it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proxy import Proxy
from tests.s3 import BUCKET, S3Server


@pytest.fixture
def bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every mirror of these tests in a bucket."""
    monkeypatch.setenv("SLUGLINE_SEGMENTS", f"s3://{BUCKET}/")


@pytest.fixture
def proxy(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    proxy = Proxy(s3.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
    yield proxy
    proxy.close()


@pytest.fixture
def away(s3: S3Server) -> Iterator[S3Server]:
    """Give a server that a test may stop: it serves again after it."""
    yield s3
    s3.stop()
    s3.start()
