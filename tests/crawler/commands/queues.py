"""A config.toml over two sites, with a queue."""

from __future__ import annotations

from pathlib import Path

from tests.crawler.cluster.fleet import config

SITES = ("https://example.org/", "https://example.net/news/")


def written(folder: Path, queue: str) -> Path:
    """Write it into ``folder``; ``queue`` is the database's URL."""
    path = folder / "news.toml"
    path.write_text(config(SITES, "https://example.org/bot", rate=2, queue=queue))
    return path
