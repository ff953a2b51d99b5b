"""The connections and what they must not do; fetching over them is test_fetch.py's."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import ClientHttpProxyError, encode_basic_auth
from yarl import URL

from crawler.events import Requested
from crawler.transport.connect import MAX_FIELDS, Connections, proxy_of, tls
from crawler.transport.faults import FetchError
from crawler.transport.guard import Guard
from tests.crawler.fetching import AGENT, fetching, settings
from tests.crawler.raw_server import RawServer, Request, Wire, answer, raw_server

ASKED = b"GET /a HTTP/1.1\r\nHost: site\r\n\r\n"


@asynccontextmanager
async def connected(site: RawServer) -> AsyncIterator[Connections]:
    connections = Connections(settings(), Guard([site.url()]))
    try:
        yield connections
    finally:
        await connections.close()


def test_servers_are_verified_by_name_and_authority() -> None:
    context = tls(None)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_a_proxys_credentials_stand_in_a_header_and_not_in_its_url() -> None:
    proxy = proxy_of("http://user:p%40ss@proxy.example:3128")
    assert str(proxy.url) == "http://proxy.example:3128"
    assert proxy.headers == {"Proxy-Authorization": encode_basic_auth("user", "p@ss")}


def test_a_proxy_without_credentials_gets_none() -> None:
    assert proxy_of("https://proxy.example").headers == {}


async def test_the_environments_proxy_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with raw_server({"/a": answer(body=b"straight")}) as site, fetching(site) as fetcher:
        assert (await fetcher.get(site.url("/a"))).body == b"straight"


@pytest.mark.parametrize(("fields", "taken"), [(MAX_FIELDS // 2, True), (MAX_FIELDS * 2, False)])
async def test_header_fields_have_a_bound_in_number(fields: int, taken: bool) -> None:
    lines = tuple(f"X-{number}: 1" for number in range(fields))
    async with (
        raw_server({"/a": answer(headers=lines)}) as site,
        fetching(site, attempts=1) as fetcher,
    ):
        if taken:
            assert (await fetcher.get(site.url("/a"))).status == 200
        else:
            with pytest.raises(FetchError, match="too many header fields"):
                await fetcher.get(site.url("/a"))


async def test_who_asks_is_told_that_a_request_went_out_on_a_new_connection_or_an_old_one() -> None:
    told: list[str] = []

    async def hear(_request: Request, wire: Wire) -> None:
        told.append("heard")
        await wire.send(answer())

    async with raw_server({"/a": hear}) as site:
        async with connected(site) as connections:
            way = connections.way(URL(site.url()), None, {})
            for _ in range(2):
                reply = await connections.ask(way, ASKED, 5.0, lambda: told.append("sent"))
                reply.close()
                assert reply.status == 200
        assert site.connections == 1
    assert told == ["sent", "heard"] * 2


async def test_a_tunnel_is_asked_for_with_our_name_and_the_proxys_credentials() -> None:
    async with raw_server() as site, connected(site) as connections:
        proxy = proxy_of(f"http://user:pass@{site.host}")
        way = connections.way(URL("https://news.example"), proxy, {"User-Agent": AGENT})
        with pytest.raises(ClientHttpProxyError):
            await connections.ask(way, ASKED, 5.0, lambda: None)
    asked = site.requests[0]
    assert (asked.method, asked.target) == ("CONNECT", "news.example:443")
    assert asked.headers["user-agent"] == AGENT
    assert asked.headers["proxy-authorization"] == encode_basic_auth("user", "pass")


async def test_a_request_is_never_sent_again_by_the_library() -> None:
    async def drop(_request: Request, wire: Wire) -> None:
        wire.reset()

    ours: list[Requested] = []
    async with (
        raw_server({"/a": answer(), "/b": drop}) as site,
        fetching(site, attempts=1, observe=ours.append) as fetcher,
    ):
        await fetcher.get(site.url("/a"))
        with pytest.raises(FetchError):
            await fetcher.get(site.url("/b"))
    # once on the connection that /a left behind, once on a new one: both are ours
    assert site.counts["/b"] == sum(each.url.endswith("/b") for each in ours) == 2
