"""The session and what it must not do; fetching over it is test_fetch.py's."""

from __future__ import annotations

import ssl

import pytest
from aiohttp import encode_basic_auth

from crawler.connect import MAX_FIELDS, proxy_of, tls
from crawler.faults import FetchError
from tests.crawler.fetching import fetching
from tests.crawler.raw_server import Request, Wire, answer, raw_server


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


async def test_a_request_is_never_sent_again_by_the_library() -> None:
    async def drop(_request: Request, wire: Wire) -> None:
        wire.reset()

    async with (
        raw_server({"/a": answer(), "/b": drop}) as site,
        fetching(site, attempts=1) as fetcher,
    ):
        await fetcher.get(site.url("/a"))
        with pytest.raises(FetchError):
            await fetcher.get(site.url("/b"))
    assert site.counts["/b"] == 1
