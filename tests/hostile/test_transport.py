"""Broken HTTP/1.1, a row a fault: each is named in words, and no other article is harmed.

A fault stands at an article's page, and again at the Markdown of a second, otherwise healthy one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.crawler.fetching import fetching
from tests.crawler.raw_server import raw_server
from tests.hostile.fault_server import Request, Wire, answer, article, fault_server
from tests.hostile.faults import FAULTS, HTML, OK, PAGE, SLOW, kept_open, sent
from tests.hostile.harness import mirror

#: Faults of many articles in one run: enough of them in a row would end the host's turn.
PATIENT = {"strikes": 1000, "concurrency": 64}


@pytest.mark.parametrize("name", FAULTS)
async def test_a_broken_answer_is_named_and_harms_nothing_else(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    async with fault_server() as site:
        url = site.fault("/news/bad", fault.route)
        site.add("spoilt", healthy=False)
        site.routes["/news/spoilt.md"] = fault.route
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, fault.words)
        assert outcome.kept(site)["spoilt"] == ["html", "jsonld", "text"]
        assert fault.words in outcome.errors[site.url("/news/spoilt")]
        assert "bad" not in outcome.kept(site)


async def test_answers_too_slow_to_end_are_given_up(tmp_path: Path) -> None:
    async with fault_server() as site:
        urls = {name: site.fault(f"/news/{n}", SLOW[name].route) for n, name in enumerate(SLOW)}
        outcome = await mirror(site, tmp_path, settings=PATIENT)
        outcome.holds(site)
        assert {name: SLOW[name].words in outcome.errors[urls[name]] for name in SLOW} == (
            dict.fromkeys(SLOW, True)
        )


async def test_no_broken_answer_replaces_what_was_good(tmp_path: Path) -> None:
    """Every fault at once, each at an article that was good the day before."""
    async with fault_server() as site:
        slugs = {}
        for n, (name, fault) in enumerate((FAULTS | SLOW).items()):
            slugs[f"fault-{n}"] = fault
            site.add(f"fault-{n}", words=f"On this day somebody told us of {name}. " * 8)
        (await mirror(site, tmp_path, settings=PATIENT)).holds(site)
        for slug, fault in slugs.items():
            site.routes[f"/news/{slug}"] = fault.route
            site.routes[f"/news/{slug}.txt"] = fault.route
        outcome = await mirror(site, tmp_path, settings=PATIENT)
        outcome.holds(site)
        assert outcome.summary["snapshots"] == 0
        assert {url.rpartition("/")[2] for url in outcome.errors} == set(slugs)


async def test_a_connection_reset_on_arrival_costs_its_own_host_alone(tmp_path: Path) -> None:
    async def refuse(wire: Wire) -> None:
        wire.reset()

    async with fault_server() as site, fault_server() as dead:
        dead.greet = refuse
        outcome = await mirror(site, tmp_path, more=[dead.url("/")])
        outcome.holds(site, dead.url("/"), "robots.txt could not be read: the connection was reset")


async def test_a_host_that_dies_in_the_middle_is_left_after_five_failures(tmp_path: Path) -> None:
    """Forty articles, and after ten answers nothing but closed connections."""
    async with fault_server() as site, fault_server(healthy=False) as dying:
        for n in range(40):
            dying.add(f"late-{n}", healthy=False)
        served: list[Wire] = []

        async def list_all(_request: Request, wire: Wire) -> None:
            urls = "".join(f"<url><loc>{dying.url(path)}</loc></url>" for path in dying.listed)
            await wire.send(answer(body=f"<urlset>{urls}</urlset>".encode()))

            async def die(wire: Wire) -> None:
                served.append(wire)
                await wire.reader.readuntil(b"\r\n\r\n")  # closed unread, it would be a reset
                wire.close()

            dying.greet = die
            for path in dying.listed:
                dying.routes[path] = sent()

        dying.routes["/"] = answer(body=b"<title>News</title>", headers=(HTML,))
        dying.routes["/sitemap.xml"] = list_all
        outcome = await mirror(site, tmp_path, more=[dying.url("/")], settings={"concurrency": 1})
        outcome.holds(site, dying.host, "left alone for the rest of this run after 5 failures")
        assert "the server closed the connection without an answer" in outcome.said(dying.host)
        assert len(served) == 5


async def test_an_answer_smuggled_behind_another_is_nobodys(tmp_path: Path) -> None:
    """Bytes past the stated length look like the answer to the next request on the connection."""
    poison = article("bridge", "http://elsewhere.example", words="Poisoned words. " * 50)["html"]
    smuggled = answer(body=PAGE, headers=(HTML,)) + answer(body=poison, headers=(HTML,))
    async with fault_server() as site:
        site.fault("/news/smuggler", smuggled)
        site.listed.insert(0, site.listed.pop())
        outcome = await mirror(site, tmp_path, settings={"concurrency": 1})
        outcome.holds(site)
        assert "bridge.md" not in str(outcome.errors)


async def test_an_answer_that_comes_unasked_on_an_idle_connection_is_nobodys() -> None:
    came = asyncio.Event()

    async def smuggle(_request: Request, wire: Wire) -> None:
        await wire.send(answer(body=b"asked for"))
        await came.wait()
        await wire.send(answer(body=b"poison"))

    async with (
        raw_server({"/a": smuggle, "/b": answer(body=b"b")}) as site,
        fetching(site) as fetcher,
    ):
        assert (await fetcher.get(site.url("/a"))).body == b"asked for"
        came.set()
        await asyncio.sleep(0.1)
        assert (await fetcher.get(site.url("/b"))).body == b"b"


async def test_a_server_that_speaks_before_it_is_asked_is_not_believed(tmp_path: Path) -> None:
    poison = answer(body=article("x", "http://elsewhere.example")["html"], headers=(HTML,))

    async def speak(wire: Wire) -> None:
        await wire.send(poison)

    async with fault_server() as site, fault_server() as rude:
        rude.greet = speak
        outcome = await mirror(site, tmp_path, more=[rude.url("/")])
        outcome.holds(site)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\n X: y\r\nContent-Type: text/html\r\n",
        OK + b"X-Folded: a\r\n b\r\n\tc\r\n",
        OK + b"X-Empty:\r\nX-Empty:\r\n",
        OK + b"Set-Cookie: \x1b[2J\xff\xfe=1\r\nX-Bytes: \xff\xfe\r\n",
        OK + b"Content-Type: text/plain\r\nContent-Type: image/png\r\n",
        b"HTTP/1.1 200\r\nContent-Type: text/html\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n",
    ],
    ids=["fold first", "folds", "empty", "bytes", "two types", "no reason", "HTTP/1.0"],
)
async def test_odd_headers_are_borne(head: bytes, tmp_path: Path) -> None:
    async with fault_server() as site:
        made = site.add("odd", healthy=False)["html"]
        site.routes["/news/odd"] = sent(head + b"\r\n" + made)
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.body(site, "odd", "html") == made


async def test_a_body_whose_end_never_comes_is_given_up(tmp_path: Path) -> None:
    async with fault_server() as site:
        url = site.fault("/news/bad", kept_open(OK + b"\r\n" + PAGE))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "the server was silent for 2 seconds")
