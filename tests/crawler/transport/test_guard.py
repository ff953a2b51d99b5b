"""Which addresses may be connected to."""

from __future__ import annotations

import socket
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from crawler.transport.guard import Forbidden, Guard, is_global
from crawler.transport.resolve import parse_resolve
from crawler.urls import host_key
from tests.crawler.fetching import fetching
from tests.crawler.raw_server import answer, raw_server


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1", "2001::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1"),
        *("2002:7f00:1::", "2002:0a00:1::", "2002:5db8:d822::1", "::127.0.0.1", "fe80::1%eth0"),
    ],
)
def test_special_addresses_are_not_global(address: str) -> None:
    assert not is_global(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:93.184.216.34"),
        "64:ff9b::93.184.216.34",
    ],
)
def test_public_addresses_are_global(address: str) -> None:
    assert is_global(ip_address(address))


@given(st.ip_addresses(v=4))
def test_an_ipv6_address_around_an_ipv4_one_is_judged_by_it(address: object) -> None:
    inner = ip_address(str(address))
    for around in (f"::ffff:{inner}", f"64:ff9b::{inner}"):
        assert is_global(ip_address(around)) == is_global(inner)


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "gopher://example.org/"]
)
def test_only_the_web_is_fetched(url: str) -> None:
    assert Guard().refusal(url) == "only http and https are fetched"


def test_a_literal_address_is_judged_before_any_connection() -> None:
    assert "not public" in Guard().refusal("http://169.254.169.254/latest/meta-data/")
    assert "--allow-address" in Guard().refusal("http://[::1]/")
    assert Guard().refusal("http://93.184.216.34/") == ""


def test_a_named_host_may_be_any_address_at_its_own_port() -> None:
    guard = Guard(["http://127.0.0.1:8080/site/"])
    assert guard.refusal("http://127.0.0.1:8080/other") == ""
    assert "not public" in guard.refusal("http://127.0.0.1:6379/")


def test_a_site_named_by_http_is_named_by_https_too() -> None:
    guard = Guard(["http://intranet.example/"])
    assert guard.is_named("intranet.example", 443)
    assert not guard.is_named("intranet.example", 8443)


def test_allowed_networks_are_allowed_in_every_spelling() -> None:
    guard = Guard(allow=[ip_network("127.0.0.0/8")])
    assert guard.allows("127.0.0.1")
    assert guard.allows("::ffff:127.0.0.1")
    assert not guard.allows("10.0.0.1")


async def test_a_mapped_host_is_connected_to_where_the_user_says() -> None:
    guard = Guard(resolve=[parse_resolve("news.example:443:127.0.0.1:8443")])
    (found,) = await guard.resolver().resolve("news.example", 443)
    assert (found["host"], found["port"], found["hostname"]) == ("127.0.0.1", 8443, "news.example")
    assert guard.is_named("NEWS.example", 443)


async def test_a_name_that_leads_into_our_network_is_refused() -> None:
    with pytest.raises(Forbidden, match="localhost has the address"):
        await Guard().resolver().resolve("localhost", 80, socket.AF_INET)
    found = await Guard(["http://localhost/"]).resolver().resolve("localhost", 80, socket.AF_INET)
    assert [result["host"] for result in found] == ["127.0.0.1"]


async def test_a_name_is_refused_by_the_addresses_that_it_has_now() -> None:
    guard = Guard(["http://localhost:81/"])
    assert "has the address" in await guard.refusal_of_name(URL("http://localhost:82/"))
    assert await guard.refusal_of_name(URL("http://localhost:81/")) == ""
    assert await guard.refusal_of_name(URL("http://nowhere.invalid/")) == ""


async def test_a_request_is_made_where_the_guard_allows_and_nowhere_else() -> None:
    async with raw_server({"/": answer(body=b"in")}) as site:
        resolve = (parse_resolve(f"news.example:80:127.0.0.1:{site.port}"),)
        async with fetching(resolve=resolve) as fetcher:
            assert (await fetcher.get("http://news.example/")).body == b"in"
            assert site.requests[0].headers["host"] == "news.example"


def test_host_keys_are_those_of_urls() -> None:
    for url in ("http://[::1]/", "https://example.org/", "http://127.0.0.1:81/"):
        guard = Guard([url])
        assert guard.refusal(url) == ""
        assert host_key(url).count(":") >= 1
