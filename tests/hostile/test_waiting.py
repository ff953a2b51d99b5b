"""429 and 503 with every Retry-After (RFC 9110 section 10.2.3): kept where it means something."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.fault_server import Request, Route, Wire, answer, fault_server
from tests.hostile.harness import mirror

#: Values that ask for nothing: the status alone counts, and is tried again like any other.
MEANINGLESS = {
    "none": None,
    "negative": "-1",
    "nought": "0",
    "past": "Thu, 01 Jan 1970 00:00:00 GMT",
    "malformed": "soon",
    "fractional": "1.5",
    "exponential": "1e9",
    "empty": "",
    "a list": "1, 2",
    "hexadecimal": "0x10",
    "other digits": "\u0665",
    "an impossible date": "Thu, 99 Feb 2026 99:99:99 GMT",
    "a local date": "2026-11-23 12:00",
    "100 kB": "9" * 60_000 + "x",
}
#: Values past the cap of two seconds: the host's turn is over, and the end of the wait is said.
ENDLESS = {
    "an hour": ("3600", "asked to be left alone until"),
    "12 digits": ("9" * 12, "until 2"),
    "50,000 digits": ("9" * 50_000, "until 2"),
    "the year 9999": ("Fri, 31 Dec 9999 23:59:59 GMT", "until 2"),
    "padded with nought": ("0" * 5000 + "3600", "asked to be left alone until"),
}


def busy(status: str, value: str | None) -> bytes:
    return answer(status, headers=() if value is None else (f"Retry-After: {value}",))


class Once:
    """A route that is busy the first time, and well from then on."""

    def __init__(self, first: bytes, then: Route) -> None:
        self.first = first
        self.then = then

    async def __call__(self, request: Request, wire: Wire) -> None:
        first, self.first = self.first, b""
        if first:
            await wire.send(first)
        elif isinstance(self.then, bytes):
            await wire.send(self.then)
        else:
            await self.then(request, wire)


@pytest.mark.parametrize("status", ["429 Too Many", "503 Busy"], ids=["429", "503"])
async def test_a_retry_after_that_means_nothing_is_no_wait(status: str, tmp_path: Path) -> None:
    """A row of MEANINGLESS at each of many articles, for ever: each is named by its status."""
    async with fault_server() as site:
        urls = {
            name: site.fault(f"/news/busy-{n}", busy(status, value))
            for n, (name, value) in enumerate(MEANINGLESS.items())
        }
        outcome = await mirror(site, tmp_path, settings={"strikes": 1000, "attempts": 2})
        outcome.holds(site)
        told = {
            name: f"the server answered {status}" in outcome.errors[urls[name]] for name in urls
        }
        assert told == dict.fromkeys(MEANINGLESS, True)
        assert {site.counts[f"/news/busy-{n}"] for n in range(len(urls))} == {2}


@pytest.mark.parametrize("value", ["1", " 1 ", "000001"])
async def test_a_short_wait_is_waited_for(value: str, tmp_path: Path) -> None:
    async with fault_server() as site:
        site.routes["/news/bridge"] = Once(busy("503 Busy", value), site.routes["/news/bridge"])
        outcome = await mirror(site, tmp_path, settings={"attempts": 2})
        outcome.holds(site, site.host, "asked to be left alone until")
        assert outcome.code == 0


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_wait_past_the_cap_ends_that_hosts_turn_alone(name: str, tmp_path: Path) -> None:
    value, words = ENDLESS[name]
    async with fault_server() as site, fault_server() as tired:
        tired.routes["/news/bridge"] = busy("429 Too Many", value)
        outcome = await mirror(site, tmp_path, more=[tired.url("/")])
        outcome.holds(site, tired.host, words)
        again = await mirror(site, tmp_path, more=[tired.url("/")])
        again.holds(site, tired.host, words)
        assert tired.counts["/news/bridge"] == 1


async def test_a_host_that_is_busy_for_ever_is_left_after_five_answers(tmp_path: Path) -> None:
    async with fault_server() as site, fault_server() as tired:
        for slug in tired.articles:
            tired.routes[f"/news/{slug}"] = busy("503 Busy", None)
        settings = {"concurrency": 1, "attempts": 2}
        outcome = await mirror(site, tmp_path, more=[tired.url("/")], settings=settings)
        outcome.holds(site, tired.host, "left alone for the rest of this run after 5 failures")
        assert sum(tired.counts[f"/news/{slug}"] for slug in tired.articles) == 5


async def test_a_retry_after_beside_a_good_answer_is_nothing(tmp_path: Path) -> None:
    async with fault_server() as site:
        made = site.add("kind")
        site.routes["/news/kind"] = answer(
            body=made["html"], headers=("Content-Type: text/html", "Retry-After: 86400")
        )
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0


async def test_two_values_of_retry_after_are_no_longer_wait(tmp_path: Path) -> None:
    """A second field can't stretch the first: what comes first counts."""
    async with fault_server() as site:
        first = busy("503 Busy", "1\r\nRetry-After: 86400")
        site.routes["/news/bridge"] = Once(first, site.routes["/news/bridge"])
        outcome = await mirror(site, tmp_path, settings={"attempts": 2})
        outcome.holds(site)
        assert outcome.code == 0
