"""Requests as they are written for an origin."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.transport.connect import Connections
from crawler.transport.faults import FetchError
from crawler.transport.guard import Guard
from crawler.transport.headers import conditions
from crawler.transport.origins import Origins, Proxies, Wishes, taken_apart
from crawler.urls import host_key, normalise
from storage.model import Validator
from tests.crawler.fetching import AGENT, settings

PLAIN = Wishes(accept=None, encodings=None, fresh=False)
URL = "http://news.example/a?b=c"


@asynccontextmanager
async def origins(**values: Any) -> AsyncIterator[Origins]:
    chosen = settings(**values)
    guard = Guard()
    connections = Connections(chosen, guard)
    try:
        yield Origins(chosen, guard, Proxies(chosen), connections)
    finally:
        await connections.close()


async def lines(url: str, wishes: Wishes = PLAIN, **values: Any) -> list[str]:
    async with origins(**values) as known:
        origin, target = known.find(url)
        return origin.request(target, wishes, {}).decode().split("\r\n")


async def test_a_request_names_its_target_its_host_and_us() -> None:
    assert await lines(URL) == [
        "GET /a?b=c HTTP/1.1",
        "Host: news.example",
        f"User-Agent: {AGENT}",
        "Accept: */*",
        "Accept-Encoding: gzip",
        "",
        "",
    ]


async def test_a_wish_stands_in_place_of_the_setting() -> None:
    asked = await lines(URL, Wishes(accept="text/plain", encodings="identity", fresh=True))
    assert "Accept: text/plain" in asked
    assert "Accept-Encoding: identity" in asked
    assert "Cache-Control: no-cache" in asked
    assert not any("*/*" in line or "gzip" in line for line in asked)


async def test_a_private_header_replaces_one_of_ours_whatever_its_case() -> None:
    asked = await lines(URL, headers={"news.example:80": (("user-agent", "Mozilla/5.0"),)})
    assert "user-agent: Mozilla/5.0" in asked
    assert not any(AGENT in line for line in asked)


async def test_conditions_are_of_one_request_alone() -> None:
    async with origins() as known:
        origin, target = known.find(URL)
        fields = conditions(Validator(url=URL, etag='"1"', last_modified="", digest=""))
        assert b'\r\nIf-None-Match: "1"\r\n' in origin.request(target, PLAIN, fields)
        assert b"If-None-Match" not in origin.request(target, PLAIN, {})


async def test_a_line_end_in_a_header_is_never_sent() -> None:
    with pytest.raises(ValueError, match="line end"):
        await lines(URL, Wishes(accept="a\r\nHost: other", encodings=None, fresh=False))


async def test_an_origin_is_made_once_and_is_scheme_host_and_port() -> None:
    async with origins() as known:
        first = known.find(URL)[0]
        assert known.find("http://news.example/other")[0] is first
        assert known.find("http://news.example:80/other")[0] is first
        others = ("https://news.example/", "http://news.example:81/", "http://www.news.example/")
        assert len({known.find(url)[0] for url in others} | {first}) == 4


async def test_a_proxy_reads_the_whole_url_of_a_plain_request_and_nothing_of_a_tunnel() -> None:
    proxy = "http://user:pass@proxy.example:3128"
    plain = await lines(URL, proxy=proxy)
    secret = await lines(URL.replace("http:", "https:"), proxy=proxy)
    assert plain[0] == f"GET {URL} HTTP/1.1"
    assert secret[0] == "GET /a?b=c HTTP/1.1"
    assert any(line.startswith("Proxy-Authorization: ") for line in plain)
    assert not any(line.startswith("Proxy-") for line in secret)


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://news.example", "/"),
        ("http://news.example?a=/b", "/?a=/b"),
        ("http://news.example/a#b/c", "/a"),
        ("http://news.example/a?b#c", "/a?b"),
        ("http://[2001:4860:4860::8888]/a", "/a"),
    ],
)
async def test_a_url_in_no_normal_form_is_taken_apart(url: str, target: str) -> None:
    async with origins() as known:
        assert known.find(url)[1] == target
        assert known.find(url)[1] == target


@pytest.mark.parametrize("known_before", [True, False])
@pytest.mark.parametrize("path", ["/a b", "/a\r\nX: y", "/\u00e4", "/\x00"])
async def test_a_target_never_holds_what_would_end_it(path: str, known_before: bool) -> None:
    async with origins() as known:
        if known_before:
            known.find(URL)
        with pytest.raises(FetchError) as caught:
            known.find(f"http://news.example{path}")
    assert caught.value.kind == "url"


async def test_the_guard_is_asked_about_every_origin() -> None:
    async with origins() as known:
        for _ in range(2):
            with pytest.raises(FetchError) as caught:
                known.find("http://127.0.0.1/")
            assert caught.value.kind == "guard"


@given(st.from_regex(r"https?://[a-z.0-9-]{1,20}(:[0-9]{1,4})?/[^\s]{0,20}", fullmatch=True))
def test_a_hosts_key_is_the_one_of_its_url(url: str) -> None:
    normal = normalise(url)
    if normal is not None:
        assert taken_apart(normal)[1] == host_key(normal)
