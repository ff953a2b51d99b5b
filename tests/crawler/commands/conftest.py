"""The small archive that the reading commands are tried on."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crawler.commands.archives import fill


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "m"
    asyncio.run(fill(root))
    return root
