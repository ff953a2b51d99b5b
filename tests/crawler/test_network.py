"""What a run reaches the web with: its parts know of each other, and tell what they do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from crawler.article.copies import CopyFailed
from crawler.config.settings import Config, Settings
from crawler.events import Event, Requested, Waiting
from crawler.network import Network, open_network, paces
from crawler.request import SiteAsked
from crawler.transport.connect import ConnectError
from crawler.transport.faults import FetchError
from tests.crawler.copying import Shelf, place
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


@asynccontextmanager
async def network(
    *named: str, told: list[Event] | None = None, ignore_robots: bool = False, **settings: Any
) -> AsyncIterator[Network]:
    events = [] if told is None else told
    async with AsyncExitStack() as stack:
        yield await open_network(
            stack,
            Config().settings().changed(**{"rate": 0, "attempts": 1, **settings}),
            named,
            Shelf().read,
            ignore_robots=ignore_robots,
            report=events.append,
            clock=lambda: NOW,
        )


async def test_every_request_is_told_robots_txt_included(site: SmallSite) -> None:
    site.pages["/a"] = article("Story")
    told: list[Event] = []
    async with network(site.base, told=told) as parts:
        await parts.copyist.copy(place(f"{site.base}/a"))
    seen = [(e.url, e.status) for e in told if isinstance(e, Requested)]
    assert seen == [(f"{site.base}/robots.txt", 404), (f"{site.base}/a", 200)]


async def test_a_host_that_is_left_alone_is_told_with_the_reason(site: SmallSite) -> None:
    site.pages["/robots.txt"] = Page(body="User-agent: *\nCrawl-delay: 900")
    told: list[Event] = []
    async with network(site.base, told=told) as parts:
        await parts.robots.robots_for(site.base)
    (event,) = (e for e in told if isinstance(e, Waiting))
    assert event.at == NOW
    assert "robots.txt asks for 900 s" in event.why


async def test_we_give_our_name_version_and_contact(site: SmallSite) -> None:
    async with network(site.base, contact="https://us.example/bot") as parts:
        await parts.fetcher.get(f"{site.base}/a")
    wanted = f"slugline/{version('slugline')} (+https://us.example/bot)"
    assert site.heard[0]["User-Agent"] == wanted


async def test_private_headers_go_to_named_hosts_alone(site: SmallSite) -> None:
    async with (
        SmallSite() as other,
        network(site.base, headers={"X-Key": "k"}, allow_address=("127.0.0.0/8",)) as parts,
    ):
        await parts.fetcher.get(f"{site.base}/a")
        await parts.fetcher.get(f"{other.base}/a")
    assert site.heard[0]["X-Key"] == "k"
    assert "X-Key" not in other.heard[0]


async def test_only_named_hosts_may_be_private_addresses(site: SmallSite) -> None:
    async with network() as parts:
        with pytest.raises(FetchError, match="not public"):
            await parts.fetcher.get(f"{site.base}/a")
    assert site.asked == []


async def test_robots_txt_is_obeyed_unless_the_user_overrules_it(site: SmallSite) -> None:
    site.pages |= {"/robots.txt": Page(body="User-agent: *\nDisallow: /"), "/a": article("Story")}
    async with network(site.base) as parts:
        with pytest.raises(CopyFailed):
            await parts.copyist.copy(place(f"{site.base}/a"))
    async with network(site.base, ignore_robots=True) as parts:
        await parts.copyist.copy(place(f"{site.base}/a"))


async def test_a_certificate_file_without_any_is_the_users_to_mend(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("nothing")
    with pytest.raises(ConnectError, match=r"ca\.pem"):
        async with network(ca_bundle=bundle):
            pass


async def test_it_is_closed_with_its_stack(site: SmallSite) -> None:
    async with network(site.base) as parts:
        pass
    with pytest.raises(RuntimeError):
        await parts.fetcher.get(f"{site.base}/a")


def test_a_hosts_pace_is_its_slowest_sites() -> None:
    def asked(path: str, **values: float) -> SiteAsked:
        return SiteAsked(url=f"https://example.org/{path}", settings=Settings().changed(**values))

    sites = [asked("a", rate=0, concurrency=4), asked("b", rate=3), asked("c", rate=5)]
    assert list(paces(sites)) == [("example.org:443", 3, 2)]
    assert list(paces(sites[:1])) == [("example.org:443", 0, 4)]
