"""A fleet for a test: hosts, a config.toml over them, and workers in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from procrastinate import App

from crawler.cluster.board import Board, board
from crawler.cluster.heart import Times
from crawler.cluster.jobs import Shop
from crawler.cluster.place import QueuePlace
from crawler.cluster.roster import Roster
from crawler.cluster.worker import work
from crawler.conductor import open_writer
from crawler.config.settings import parse_config
from storage.archive import Archive
from tests.crawler.cluster.hosts import Asked, Hosts

#: No site is due by itself while a test runs.
NEW_YEAR = "0 0 1 1 *"
#: What takes seconds in earnest; a worker is dead long before a test is over.
QUICK = Times(beat=0.5, silence=8.0, grace=2.0, dead=20.0, look=0.5, poll=0.2)


class Folder(Struct, frozen=True, kw_only=True):
    """A worker's folder, its sites and the name it goes by in the servers' logs."""

    path: Path
    roster: Roster
    said: list[str]

    def stored(self) -> set[tuple[str, str]]:
        """Return site and slug of all that its mirror has."""
        with Archive.open(self.roster.into) as archive:
            return {(row.site, row.slug) for row in archive.all_history(canonicals=True)}

    def remembered(self, name: str) -> dict[str, str]:
        """Return what its mirror remembers under ``name``."""
        with Archive.open(self.roster.into) as archive:
            return archive.memory(name)


def config(urls: Iterable[str], who: str, rate: float, queue: str = "") -> str:
    """Write a config.toml for a worker that calls itself ``who``."""
    sites = "".join(f'[[site]]\nurl = "{url}"\n' for url in urls)
    return (
        f'[defaults]\nrate = {rate}\nprobe = false\nschedule = "{NEW_YEAR}"\n'
        f'[fetch]\ncontact = "{who}"\nallow_address = ["127.0.0.0/8"]\n'
        f'[cluster]\nqueue = "{queue}"\n{sites}'
    )


def folder(root: Path, urls: Iterable[str], who: str = "one", rate: float = 0) -> Folder:
    """Make the folder of a worker that calls itself ``who``."""
    path = root / who
    path.mkdir()
    text = config(urls, who, rate)
    (path / "news.toml").write_text(text)
    return Folder(path=path, roster=Roster(parse_config(text, {}), path / "news.toml"), said=[])


@asynccontextmanager
async def serving(articles: int, originals: int = 0, *, dated: bool = True) -> AsyncIterator[Hosts]:
    """Serve on every loopback address."""
    hosts = Hosts(articles, originals, dated=dated)
    await hosts.start()
    try:
        yield hosts
    finally:
        await hosts.stop()


@asynccontextmanager
async def working(
    place: QueuePlace, where: Folder, concurrency: int = 4, times: Times = QUICK
) -> AsyncIterator[asyncio.Event]:
    """Have a worker work within; setting the event it gives stops the worker."""
    stop = asyncio.Event()
    async with open_writer(where.roster.defaults) as writer:
        shop = Shop(
            roster=where.roster,
            writer=writer,
            times=times,
            say=where.said.append,
            report=lambda _: None,
        )
        task = asyncio.create_task(work(place, shop, concurrency, stop))
        try:
            yield stop
        finally:
            stop.set()
            await task


async def until(holds: Callable[[Board], bool], app: App, roster: Roster) -> Board:
    """Wait until what the board shows ``holds``, and return it."""
    async with asyncio.timeout(120):
        while not holds(seen := await board(app, roster, datetime.now(UTC))):  # noqa: ASYNC110  - the board tells nobody
            await asyncio.sleep(0.05)
    return seen


def done(seen: Board) -> bool:
    """Say whether all sites have been read and nothing is left to do."""
    return not (seen.queued or seen.running) and all(each.jobs for each in seen.sites)


def hosts_of(log: Iterable[Asked]) -> dict[str, set[str]]:
    """Return who asked each host."""
    asked: dict[str, set[str]] = {}
    for each in log:
        asked.setdefault(each.host, set()).add(each.who)
    return asked
