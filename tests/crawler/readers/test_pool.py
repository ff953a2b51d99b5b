"""Reading processes and the orders they are given: done, called off, broken, or lost with them."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from crawler.article.copies import Copy, CopyFailed
from crawler.article.format_set import Known
from crawler.frontier import Entry
from crawler.politeness.turns import Politeness
from crawler.readers import messages as said
from crawler.readers.desk import Service
from crawler.readers.pool import Broken, NoneLeft, NotStarted, Pool, Result, set_up
from crawler.robots_cache import RobotsCache
from crawler.transport.faults import HostResting
from storage.archive import Body
from storage.errors import StoreFailed
from storage.model import Manifest
from tests.crawler.copying import Shelf, place
from tests.crawler.fetching import AGENT, NOW, fetching, settings
from tests.crawler.raw_server import RawServer, Request, Wire, answer, raw_server

PAGE = answer(body=b"<title>A</title><p>words</p>", headers=("Content-Type: text/html",))
UNCHANGED = answer("304 Not Modified", length=False)


async def read_stored(_: Manifest, __: str) -> Body:
    raise StoreFailed("the disk is gone")


class Kept:
    """A pool, and what it told. Mutable: what was said."""

    def __init__(self, pool: Pool, told: list[str]) -> None:
        self.pool = pool
        self.told = told

    async def copy(self, url: str, **more: object) -> Result:
        values = {"previous": None, "validators": {}, "fresh": False, "accept": ""} | more
        return await self.pool.run(
            lambda number: said.CopyOrder(number, place(url), **values),  # type: ignore[arg-type]
            url,
        )


@asynccontextmanager
async def pool(site: RawServer, *, children: int = 1) -> AsyncIterator[Kept]:
    chosen = settings(attempts=1)
    told: list[str] = []
    async with fetching(site) as fetcher:
        service = Service(
            politeness=Politeness(chosen, lambda: NOW),
            robots=RobotsCache(fetcher, AGENT, lambda: NOW),
            read_stored=read_stored,
            observe=lambda _: None,
            children=children,
        )
        setup = set_up(chosen, (site.url(),), max_body=1 << 20, ignore_robots=False)
        async with Pool(setup, service, told.append) as started:
            yield Kept(started, told)


@contextmanager
def files_left(number: int) -> Iterator[None]:
    """Let this process open so many files more, and no others."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = max(int(each.name) for each in Path("/dev/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + number, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Stuck:
    """A page that never comes. Mutable: whether it was asked for."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def __call__(self, _: Request, wire: Wire) -> None:
        self.asked.set()
        await wire.reader.read()


async def test_an_order_is_done_by_a_process() -> None:
    async with raw_server({"/1": PAGE}) as site, pool(site) as kept:
        result = await kept.copy(site.url("/1"))
        assert isinstance(result, Copy)
        assert result.facts.title == "A"
        assert kept.told == []


async def test_a_failure_and_a_resting_host_come_back_as_such() -> None:
    refusing = answer("429 Too Many Requests", headers=("Retry-After: 9000",))
    async with raw_server({"/2": refusing}) as site, pool(site) as kept:
        missing = await kept.copy(site.url("/1"))
        assert isinstance(missing, CopyFailed)
        assert missing.status == 404
        results = [await kept.copy(site.url("/2")) for _ in range(3)]
        assert any(isinstance(each, HostResting) for each in results)


@pytest.mark.parametrize("files", [20, 21, 22, 23])
async def test_more_processes_than_the_system_gives_are_not_started(files: int) -> None:
    async with raw_server() as site:
        with files_left(files), pytest.raises(NotStarted, match="64 reading processes can't be"):
            async with pool(site, children=64):
                pass


async def test_a_fault_of_ours_is_raised_with_its_trace() -> None:
    async with raw_server({"/1": PAGE}) as site, pool(site) as kept:
        entry = Entry(url=site.url("/1"))
        with pytest.raises(Broken, match="KeyError") as raised:
            await kept.pool.run(
                lambda number: said.ReadOrder(number, 99, entry, Known()), entry.url
            )
        assert "Traceback" in str(raised.value)
        assert isinstance(await kept.copy(site.url("/1")), Copy)


async def test_what_the_store_raises_is_raised_to_whoever_waits() -> None:
    stuck = Stuck()
    etag = answer(body=b"<p>words</p>", headers=("Content-Type: text/html", 'ETag: "1"'))
    async with raw_server({"/1": etag, "/2": stuck}) as site, pool(site) as kept:
        first = await kept.copy(site.url("/1"))
        assert isinstance(first, Copy)
        known = Shelf().known([first])
        site.routes["/1"] = UNCHANGED
        other = asyncio.ensure_future(kept.copy(site.url("/2")))
        await stuck.asked.wait()
        with pytest.raises(StoreFailed):
            await kept.copy(site.url("/1"), previous=known.newest, validators=known.validators)
        with pytest.raises(StoreFailed):
            await other


async def test_an_order_that_is_called_off_leaves_the_others_alone() -> None:
    stuck = Stuck()
    async with raw_server({"/1": PAGE, "/2": stuck}) as site, pool(site) as kept:
        order = asyncio.ensure_future(kept.copy(site.url("/2")))
        await stuck.asked.wait()
        order.cancel()
        with pytest.raises(asyncio.CancelledError):
            await order
        assert isinstance(await kept.copy(site.url("/1")), Copy)


async def test_what_a_killed_process_had_in_hand_is_done_by_another() -> None:
    async with raw_server({"/1": PAGE}) as site, pool(site, children=2) as kept:
        pids: list[int] = []

        async def kill_once(_: Request, wire: Wire) -> None:
            if not pids:
                pids.append(kept.pool._children[0].pid)  # noqa: SLF001  - whose order it was
                os.kill(pids[0], signal.SIGKILL)
            else:
                await wire.send(PAGE)

        site.routes["/2"] = kill_once
        assert isinstance(await kept.copy(site.url("/2")), Copy)
        (told,) = kept.told
        assert told.startswith(f"a reading process (pid {pids[0]}) ended, 1 articles in hand: ")
        assert told.endswith("the other one goes on with them")


async def test_an_order_that_two_did_not_survive_is_a_failure() -> None:
    async with raw_server() as site, pool(site, children=2) as kept:

        async def kill(_: Request, __: Wire) -> None:
            os.kill(kept.pool._children[0].pid, signal.SIGKILL)  # noqa: SLF001  - whose it is

        site.routes["/2"] = kill
        result = await kept.copy(site.url("/2"))
        assert isinstance(result, CopyFailed)
        assert result.why == "2 processes that read it ended before they were done"
        assert kept.told[-1].endswith("the run itself goes on with them")
        with pytest.raises(NoneLeft):
            await kept.copy(site.url("/2"))
