"""robots.txt at its worst (RFC 9309): read within bounds, and never "all allowed" by mistake.

Each row is a second host's robots.txt, beside the healthy site that it must not touch.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.hostile.fault_server import Request, Route, Wire, answer, fault_server, stall, trickle
from tests.hostile.faults import HTML, OK, endless, sent
from tests.hostile.harness import mirror

TEXT = "Content-Type: text/plain"
FORBID = b"User-agent: *\nDisallow: /news/\n"
MIB = 1 << 20


def text(body: bytes, *fields: str) -> bytes:
    return answer(body=body, headers=(TEXT, *fields))


def moved(to: str) -> bytes:
    return answer("301 Moved", headers=(f"Location: {to}",))


def slowly(body: bytes) -> Route:
    async def handler(_request: Request, wire: Wire) -> None:
        await wire.send(OK + b"Content-Length: 999\r\n\r\n")
        await trickle(wire, body, 0.3)

    return handler


#: What lets the site be read: nothing in these forbids it.
ALLOWING: dict[str, Route] = {
    "empty": text(b""),
    "HTML": answer(body=b"<!doctype html><h1>Not here</h1>" * 99, headers=(HTML,)),
    "binary": text(bytes(range(256)) * 99),
    "NUL bytes": text(bytes(99_999)),
    "10 MB of comments": text(b"# nothing to see here, go on and on\n" * 290_000),
    "one line of 10 MB": text(b"Disallow" * 1_300_000),
    "UTF-16 without BOM": text(FORBID.decode().encode("utf-16-le")),
    "404": answer("404 Not Found"),
    "410": answer("410 Gone", FORBID),
    "403": answer("403 Forbidden", FORBID),
    "a redirect to itself": moved("/robots.txt"),
    "a redirect out of the web": moved("file:///etc/passwd"),
    "a rule before any agent": text(b"Disallow: /\n"),
    "a rule for others": text(b"User-agent: sluglineX\nUser-agent: other\nDisallow: /\n"),
    "a negative Crawl-delay": text(b"User-agent: *\nCrawl-delay: -5\n"),
    "a Crawl-delay in words": text(b"User-agent: *\nCrawl-delay: a while\n"),
    "a Crawl-delay that is no number": text(b"User-agent: *\nCrawl-delay: nan\n"),
    "10,000 sitemaps": text(b"Sitemap: ftp://a.example/s.xml\n" * 10_000),
}
#: What forbids it, with the words that are said.
FORBIDDING: dict[str, tuple[Route, str]] = {
    "BOM": (text(b"\xef\xbb\xbf" + FORBID), "disallowed: robots.txt"),
    "UTF-16": (text(FORBID.decode().encode("utf-16")), "disallowed: robots.txt"),
    "CR line ends": (text(FORBID.replace(b"\n", b"\r")), "disallowed: robots.txt"),
    "NUL bytes around the rule": (text(b"\0\n" + FORBID + b"\0"), "disallowed: robots.txt"),
    "HTML's type": (answer(body=FORBID, headers=(HTML,)), "disallowed"),
    "1,000,000 lines behind the rule": (
        text(FORBID + b"Disallow: /x\n" * 1_000_000),
        "disallowed: robots.txt",
    ),
    "30,000 agents": (text(b"User-agent: a\n" * 30_000 + FORBID), "disallowed: robots.txt"),
    "20,000 wildcards": (
        text(b"User-agent: *\n" + b"Disallow: /*a*b*c*d\n" * 20_000),
        "more than 10,000 wildcard rules",
    ),
    "gzip nobody asked for": (
        text(gzip.compress(FORBID), "Content-Encoding: gzip"),
        "disallowed: robots.txt",
    ),
    "a gzip bomb": (
        text(gzip.compress(bytes(64 * MIB), 1), "Content-Encoding: gzip"),
        "robots.txt could not be read: content coding 'gzip': past the limit",
    ),
    "a coding that lies": (
        text(FORBID, "Content-Encoding: gzip"),
        "robots.txt could not be read: content coding 'gzip': corrupt",
    ),
    "429": (answer("429 Slow"), "robots.txt was answered with status 429"),
    "500": (answer("500 Oh"), "robots.txt was answered with status 500"),
    "503": (answer("503 Oh"), "robots.txt was answered with status 503"),
    "599": (answer("599 Oh"), "robots.txt was answered with status 599"),
    "no answer": (stall(), "robots.txt could not be read: the server was silent"),
    "3 bytes a second": (slowly(FORBID * 9), "robots.txt could not be read: the answer was not"),
    "closed at once": (sent(), "robots.txt could not be read: the server closed the connection"),
    "cut short": (
        sent(OK + b"Content-Length: 99\r\n\r\nUser-agent: *"),
        "robots.txt could not be read: the answer was cut short",
    ),
    "no HTTP": (sent(b"User-agent: *\n"), "robots.txt could not be read: the answer is not"),
    "endless": (endless(OK + b"\r\n", FORBID * 999), "not asked for: robots.txt holds more than"),
    "endless headers": (endless(OK, b"X: y\r\n" * 99), "robots.txt could not be read: the answer"),
    "a redirect into our network": (
        moved("http://169.254.169.254/robots.txt"),
        "robots.txt could not be read: it redirects to http://169.254.169.254/robots.txt",
    ),
}


@pytest.mark.parametrize("name", ALLOWING)
async def test_a_robots_txt_that_forbids_nothing_is_borne(name: str, tmp_path: Path) -> None:
    async with fault_server() as site, fault_server() as odd:
        odd.routes["/robots.txt"] = ALLOWING[name]
        outcome = await mirror(site, tmp_path, more=[odd.url("/")])
        outcome.holds(site)
        outcome.healthy(odd)


@pytest.mark.parametrize("name", FORBIDDING)
async def test_what_forbids_or_can_not_be_known_is_obeyed(name: str, tmp_path: Path) -> None:
    route, words = FORBIDDING[name]
    async with fault_server() as site, fault_server() as odd:
        odd.routes["/robots.txt"] = route
        outcome = await mirror(site, tmp_path, more=[odd.url("/")])
        outcome.holds(site, odd.url("/"), words)
        assert not [target for target in odd.counts if target.startswith("/news/")]
        assert outcome.kept(odd) == {}


async def test_an_enormous_crawl_delay_is_cut_and_said(tmp_path: Path) -> None:
    async with fault_server() as site, fault_server() as odd:
        odd.routes["/robots.txt"] = text(b"User-agent: *\nCrawl-delay: 1e300\n")
        settings = {"max_crawl_delay": 0.05}
        outcome = await mirror(site, tmp_path, more=[odd.url("/")], settings=settings)
        outcome.holds(site, odd.host, "robots.txt asks for")
        assert "the most we keep is 0.05" in outcome.said(odd.host)
        outcome.healthy(odd)


async def test_a_robots_txt_that_turns_bad_takes_nothing_away(tmp_path: Path) -> None:
    async with fault_server() as site:
        (await mirror(site, tmp_path)).holds(site)
        site.robots = "User-agent: *\nDisallow: /\n"
        (await mirror(site, tmp_path)).holds(site)
        site.routes["/robots.txt"] = answer("500 Oh")
        (await mirror(site, tmp_path)).holds(site)
