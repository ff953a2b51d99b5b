"""When robots.txt is asked for, and what is remembered of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from crawler.robots_cache import RobotsCache, RobotsEntry
from crawler.transport.faults import HostResting
from tests.crawler.fetching import AGENT, NOW, fetching
from tests.crawler.raw_server import RawServer, Request, Wire, answer, raw_server

FORBID = answer(body=b"User-agent: *\nDisallow: /private/\nCrawl-delay: 3\n")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


async def verdicts(site: RawServer, *targets: str) -> list[bool]:
    async with fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, lambda: NOW)
        robots = await cache.robots_for(site.url("/"))
        return [robots.allowed(site.url(target)) for target in targets]


async def test_rules_are_asked_for_once_an_origin() -> None:
    async with raw_server({"/robots.txt": FORBID}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, lambda: NOW)
        found = await asyncio.gather(*(cache.robots_for(site.url(f"/{n}")) for n in range(20)))
    assert len(site.requests) == 1
    assert not found[0].allowed(site.url("/private/x"))
    assert found[0].allowed(site.url("/public"))


async def test_they_are_asked_for_without_content_coding_and_by_our_name() -> None:
    async with raw_server({"/robots.txt": FORBID}) as site:
        await verdicts(site)
    assert site.requests[0].headers["accept-encoding"] == "identity"
    assert site.requests[0].headers["user-agent"] == AGENT


async def test_a_crawl_delay_reaches_politeness() -> None:
    async with raw_server({"/robots.txt": FORBID}) as site, fetching(site) as fetcher:
        await RobotsCache(fetcher, AGENT, lambda: NOW).robots_for(site.url("/"))
        assert fetcher.politeness.state()[0].delay == 3.0


async def test_they_are_kept_for_a_day() -> None:
    clock = Clock()
    async with raw_server({"/robots.txt": FORBID}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, clock)
        await cache.robots_for(site.url("/"))
        clock.now += timedelta(hours=23)
        await cache.robots_for(site.url("/"))
        assert len(site.requests) == 1
        fetcher.politeness.limit(site.host, rate=0)
        site.routes["/robots.txt"] = answer("404 Not Found")
        clock.now += timedelta(hours=2)
        later = await cache.robots_for(site.url("/"))
    assert len(site.requests) == 2
    assert later.allowed(site.url("/private/x"))


async def test_they_outlive_the_run() -> None:
    async with raw_server({"/robots.txt": FORBID}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, lambda: NOW)
        await cache.robots_for(site.url("/"))
        known = cache.entries()
        later = RobotsCache(fetcher, AGENT, lambda: NOW + timedelta(hours=23), known)
        assert not (await later.robots_for(site.url("/"))).allowed(site.url("/private/x"))
        too_late = RobotsCache(fetcher, AGENT, lambda: NOW + timedelta(hours=25), known)
        assert too_late.entries() == ()
        backwards = RobotsCache(fetcher, AGENT, lambda: NOW - timedelta(hours=1), known)
        assert backwards.entries() == ()
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        *(("404 Not Found", True), ("401 No", True), ("403 No", True), ("429 Later", False)),
        *(("500 Oh", False), ("503 Busy", False), ("599 What", False)),
    ],
)
async def test_a_status_is_judged_by_the_rfc(status: str, allowed: bool) -> None:
    async with raw_server({"/robots.txt": answer(status)}) as site:
        assert await verdicts(site, "/x") == [allowed]


async def test_no_answer_forbids_everything_for_a_while() -> None:
    async def cut(request: Request, wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nUser-agent: *")
        wire.close()

    clock = Clock()
    async with raw_server({"/robots.txt": cut}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, clock)
        assert not (await cache.robots_for(site.url("/"))).allowed(site.url("/x"))
        site.routes["/robots.txt"] = answer("404 Not Found")
        assert not (await cache.robots_for(site.url("/"))).allowed(site.url("/x"))
        clock.now += timedelta(hours=1)
        assert (await cache.robots_for(site.url("/"))).allowed(site.url("/x"))


async def test_redirects_are_followed_and_a_circle_counts_as_none() -> None:
    async with raw_server() as site:
        site.routes["/robots.txt"] = answer("301 Moved", headers=("Location: /rules",))
        site.routes["/rules"] = FORBID
        assert await verdicts(site, "/private/x", "/x") == [False, True]
        site.routes["/rules"] = answer("301 Moved", headers=("Location: /robots.txt",))
        assert await verdicts(site, "/private/x") == [True]


async def test_a_redirect_into_our_network_forbids_everything() -> None:
    async with raw_server() as site:
        to = "Location: http://169.254.169.254/robots.txt"
        site.routes["/robots.txt"] = answer("301 Moved", headers=(to,))
        assert await verdicts(site, "/x") == [False]


async def test_what_kept_the_file_from_being_read_is_the_reason() -> None:
    forbidden = "http://10.0.0.1/"
    undecoded = answer(body=b"plain", headers=("Content-Encoding: gzip",))
    async with raw_server({"/robots.txt": undecoded}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, lambda: NOW)
        assert "10.0.0.1 is not public" in (await cache.robots_for(forbidden)).reason
        assert "gzip" in (await cache.robots_for(site.url("/"))).reason


async def test_ten_megabytes_are_read_in_part() -> None:
    body = b"User-agent: *\nDisallow: /private/\n" + b"# filler\n" * 1_200_000
    async with raw_server({"/robots.txt": answer(body=body)}) as site:
        assert await verdicts(site, "/private/x", "/x") == [False, True]


async def test_a_coding_that_does_not_decode_forbids_everything() -> None:
    fields = ("Content-Encoding: gzip",)
    async with raw_server({"/robots.txt": answer(body=b"plain", headers=fields)}) as site:
        assert await verdicts(site, "/x") == [False]


async def test_a_resting_host_is_no_verdict() -> None:
    busy = answer("429 Later", headers=("Retry-After: 86400",))
    async with raw_server({"/robots.txt": busy}) as site, fetching(site) as fetcher:
        cache = RobotsCache(fetcher, AGENT, lambda: NOW)
        with pytest.raises(HostResting):
            await cache.robots_for(site.url("/"))
        assert cache.entries() == ()


def test_a_failure_is_remembered_for_less_long() -> None:
    def entry(status: int | None) -> RobotsEntry:
        return RobotsEntry(origin="https://example.org", status=status, body=b"", fetched_at=NOW)

    later = NOW + timedelta(hours=1)
    assert [entry(s).fresh(later) for s in (200, 404, 429, 500, None)] == [
        True,
        True,
        False,
        False,
        False,
    ]
