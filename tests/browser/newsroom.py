"""The newsroom whose mirror is read in the browser, and what it published."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec import Struct, structs

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from storage.archive import Archive, SnapshotRow
from tests.crawler.runs import run

#: A word that stands in one story alone, from its second edition on.
WORD = "quincunx"
_STORIES = 12
#: A memento's address is to the second: the first edition has one of its own.
_APART = timedelta(seconds=1)


class Read(Struct, frozen=True, kw_only=True):
    """A mirror, and what must be found in it.

    ``story`` has four snapshots, oldest first: as it was; with WORD; with another word in silence;
    corrected. ``single`` has one; ``markdown`` is the newest Markdown of the story.
    """

    site: str
    title: str
    story: tuple[SnapshotRow, ...]
    single: SnapshotRow
    markdown: bytes
    address: str = ""

    def at(self, address: str) -> Read:
        return structs.replace(self, address=address)


async def read_newsroom(root: Path) -> Read:
    """Mirror a newsroom four times into ``root``, edits in between."""
    async with NewsroomServer(lambda base: Newsroom.create(base, _STORIES)) as server:
        one, other, third, fourth, *_, last = (each.slug for each in server.newsroom.records)
        await run(server.base, root)
        first_read = datetime.now(UTC)
        while datetime.now(UTC) - first_read <= _APART:
            await run(server.base, root)
        body = server.newsroom.record(one).body_md or ""
        dawn = f"{body}\n\nThe ferry *Quincunx* sailed at dawn, with nobody aboard.\n"
        server.newsroom = server.newsroom.edit(one, body_md=dawn).edit_silently(
            other, title="Critics doubt what was promised"
        )
        await run(server.base, root)
        server.newsroom = server.newsroom.edit_silently(
            one, body_md=dawn.replace("at dawn", "at dusk")
        ).drop_format(third, "text")
        await run(server.base, root)
        server.newsroom = server.newsroom.edit(one).touch(fourth)
        await run(server.base, root)
        markdown = server.newsroom.page(f"/news/{one}.md").body
    with Archive.open(root) as archive:
        site = archive.sites()[0].name
        story = archive.history(site, one)
        return Read(
            site=site,
            title=story[-1].title or "",
            story=tuple(story),
            single=archive.history(site, last)[0],
            markdown=markdown,
        )
