"""What the tests of reading articles share: a copyist for servers on loopback, and a small store.

The store is a scripted one: it keeps what a copy was made of, and gives it back as the archive
would.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from msgspec import structs

from crawler.article.copies import Copy, Copyist
from crawler.article.format_set import Known
from crawler.declared import Declared
from crawler.robots_cache import RobotsCache
from storage.archive import Body
from storage.codings import decode
from storage.errors import NoSuchArticle
from storage.model import Key, Manifest
from tests.crawler.fetching import AGENT, NOW, fetching
from tests.crawler.small_site import Page

MOST = 2**24


class Shelf:
    """Bodies of one snapshot by format, as `Copyist` reads them. Mutable state: ``copies``."""

    def __init__(self) -> None:
        self.copies: dict[str, Copy] = {}

    def known(self, copies: Iterable[Copy]) -> Known:
        """Put ``copies`` on the shelf and return what an archive would then know."""
        self.copies = {copy.representation.format: copy for copy in copies}
        newest = Manifest(
            site="site",
            scope="http://site/",
            slug="story",
            url="http://site/story",
            observed_at=NOW,
            run="a-run",
            key=Key(updated_at=NOW, unit="second", source="html"),
            representations=tuple(
                structs.replace(copy.representation, record_id=f"urn:uuid:{name}")
                for name, copy in self.copies.items()
            ),
        )
        validators = {copy.validator.url: copy.validator for copy in self.copies.values()}
        return Known(newest=newest, validators=validators)

    async def read(self, manifest: Manifest, name: str) -> Body:
        """Return the body of ``name``; raises NoSuchArticle where none was kept."""
        if name not in self.copies:
            raise NoSuchArticle(f"{manifest.slug} has no {name}")
        shown, payload = self.copies[name].representation, self.copies[name].payloads[-1]
        return Body(
            representation=shown,
            status=payload.status,
            reason=payload.reason,
            headers=payload.headers,
            stored=bytes(payload.body),
            decoded=decode(payload.body, shown.content_encoding, MOST),
        )


@asynccontextmanager
async def copying(
    *named: str,
    shelf: Shelf | None = None,
    ignore_robots: bool = False,
    max_body: int = MOST,
    **values: Any,
) -> AsyncIterator[Copyist]:
    """Open a copyist to which the hosts of the URLs ``named`` are the user's own."""
    quick = {"attempts": 1, **values}
    async with fetching(named=named, **quick) as fetcher:
        yield Copyist(
            fetcher,
            RobotsCache(fetcher, AGENT, lambda: NOW),
            (shelf or Shelf()).read,
            max_body=max_body,
            ignore_robots=ignore_robots,
        )


def place(url: str, name: str = "", *declarers: str) -> Declared:
    """Return where the format called ``name`` is; ``""``: whatever answers there."""
    return Declared(format=name, url=url, declared_by=declarers or ("entry",))


def alternate(media_type: str, url: str) -> str:
    """Write a ``<link>`` to a twin; ``url`` may begin with BASE."""
    return f'<link rel="alternate" type="{media_type}" href="{url}">'


def markdown(title: str, *, updated: str = "", words: str = "", **fields: str) -> Page:
    """Write an article's Markdown with front matter."""
    front = {"title": title, **({"updated_at": updated} if updated else {}), **fields}
    lines = "".join(f"{name}: {value}\n" for name, value in front.items())
    text = words or f"What is told about {title} is told here and in no other place. " * 12
    return Page(body=f"---\n{lines}---\n\n{text}\n", type="text/markdown")
