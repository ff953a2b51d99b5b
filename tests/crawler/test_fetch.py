"""Asking a real server over real sockets: answers, redirects, retries, waits and cancellation."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from datetime import timedelta
from pathlib import Path

import pytest
import trustme
from aiohttp import encode_basic_auth

from crawler.events import Requested
from crawler.fetch import Fetcher
from crawler.transport.answer import Answer, FetchSettings
from crawler.transport.connect import ConnectError, proxy_of, tls
from crawler.transport.faults import FetchError, HostResting
from crawler.transport.resolve import parse_resolve
from storage.model import Validator
from tests.crawler.fetching import AGENT, NOW, fetching, settings
from tests.crawler.raw_server import RawServer, Request, Wire, answer, raw_server


def redirect(to: str, status: str = "302 Found") -> bytes:
    return answer(status, b"over there", (f"Location: {to}",))


async def failure(fetcher: Fetcher, url: str) -> FetchError:
    with pytest.raises(FetchError) as caught:
        await fetcher.get(url)
    return caught.value


async def test_an_answer_is_kept_as_it_came() -> None:
    body = gzip.compress(b"<p>words</p>")
    fields = ("content-TYPE: text/html", "Content-Encoding: gzip", "X-Title: café", "X-Title: b")
    async with (
        raw_server({"/a": answer(body=body, headers=fields)}) as site,
        fetching(site) as fetcher,
    ):
        got = await fetcher.get(site.url("/a"))
    assert isinstance(got, Answer)
    assert (got.status, got.reason, got.body) == (200, "OK", body)
    assert got.url == got.final_url == site.url("/a")
    assert got.headers[:2] == (("content-TYPE", "text/html"), ("Content-Encoding", "gzip"))
    assert got.values("x-title") == ("café", "b")
    assert got.header("X-None") is None
    assert got.decoded(1000) == b"<p>words</p>"
    assert (got.fetched_at, got.attempts, got.hops, got.private) == (NOW, 1, (), False)


async def test_we_say_who_we_are_and_ask_for_what_we_can_keep() -> None:
    async with raw_server({"/a": answer()}) as site, fetching(site) as fetcher:
        await fetcher.get(site.url("/a"), accept="text/markdown", fresh=True)
    sent = site.requests[0].headers
    assert sent["user-agent"] == AGENT
    assert (sent["accept"], sent["accept-encoding"]) == ("text/markdown", "gzip")
    assert sent["cache-control"] == "no-cache"
    assert sent["host"] == site.host


async def test_connections_are_kept_and_cookies_are_not() -> None:
    routes = {"/a": answer(headers=("Set-Cookie: id=1; Path=/",))}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        first = await fetcher.get(site.url("/a"))
        await fetcher.get(site.url("/a"))
    assert first.redacted == ("Set-Cookie",)
    assert first.header("set-cookie") is None
    assert "cookie" not in site.requests[1].headers
    assert site.connections == 1


async def test_a_conditional_request_may_be_answered_with_304() -> None:
    async with (
        raw_server({"/a": answer("304 Not Modified", length=False)}) as site,
        fetching(site) as fetcher,
    ):
        validator = Validator(url=site.url("/a"), etag='"1"', digest="")
        got = await fetcher.get(site.url("/a"), validators=validator)
        assert (got.status, got.body) == (304, b"")
        assert site.requests[0].headers["if-none-match"] == '"1"'
        unasked = await failure(fetcher, site.url("/a"))
    assert unasked.kind == "protocol"


async def test_every_status_is_an_answer() -> None:
    statuses = ("204 No Content", "401 Unauthorized", "404 Not Found", "410 Gone", "999 Custom")
    routes = {f"/{s[:3]}": answer(s, length=not s.startswith("204")) for s in statuses}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        got = [(await fetcher.get(site.url(target))).status for target in routes]
    assert got == [204, 401, 404, 410, 999]
    assert set(site.counts.values()) == {1}


async def test_a_status_below_100_is_no_answer() -> None:
    async with raw_server({"/a": answer("000 Nought")}) as site, fetching(site) as fetcher:
        error = await failure(fetcher, site.url("/a"))
    assert (error.kind, error.sentence) == ("protocol", "the answer has no valid status (0)")


async def test_a_private_header_is_not_kept_where_the_status_line_repeats_it() -> None:
    secret = (("Authorization", "Bearer abcdef"),)
    async with (
        raw_server({"/a": answer("500 your abcdef")}) as home,
        fetching(home, headers={home.host: secret}, attempts=1) as fetcher,
    ):
        assert (await fetcher.get(home.url("/a"))).reason == ""


# redirects


async def test_redirects_are_followed_and_kept() -> None:
    routes = {"/a": redirect("/b", "301 Moved Permanently"), "/b": redirect("c"), "/c": answer()}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"))
    assert (got.url, got.final_url, got.status) == (site.url("/a"), site.url("/c"), 200)
    assert [(hop.url, hop.status) for hop in got.hops] == [
        (site.url("/a"), 301),
        (site.url("/b"), 302),
    ]
    assert (got.hops[0].body, got.hops[1].location) == (b"over there", "c")


async def test_a_redirect_can_be_the_answer() -> None:
    routes = {"/a": redirect("/b"), "/none": answer("302 Found")}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        assert (await fetcher.get(site.url("/a"), follow=False)).status == 302
        assert (await fetcher.get(site.url("/none"))).status == 302


@pytest.mark.parametrize(
    ("location", "kind", "words"),
    [
        ("/a", "redirect", "in a circle"),
        ("ftp://example.org/x", "redirect", "no http or https URL"),
        ("javascript:alert(1)", "redirect", "no http or https URL"),
        ("http://169.254.169.254/latest", "guard", "169.254.169.254 is not public"),
        ("http://localhost:1/", "guard", "localhost has the address"),
        ("http://2130706433/", "guard", "127.0.0.1 is not public"),
    ],
)
async def test_bad_redirects_end_in_words(location: str, kind: str, words: str) -> None:
    async with raw_server({"/a": redirect(location)}) as site, fetching(site) as fetcher:
        error = await failure(fetcher, site.url("/a"))
    assert (error.kind, len(error.hops)) == (kind, 1)
    assert words in error.sentence


async def test_a_chain_of_redirects_has_a_bound() -> None:
    routes = {f"/{n}": redirect(f"/{n + 1}") for n in range(9)}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        error = await failure(fetcher, site.url("/0"))
    assert (error.kind, len(site.requests)) == ("redirect", 6)


async def test_the_caller_may_refuse_a_redirect() -> None:
    async def permit(url: str) -> str:
        return "robots.txt forbids it" if url.endswith("/secret") else ""

    routes = {"/a": redirect("/b"), "/b": redirect("/secret"), "/secret": answer()}
    async with raw_server({**routes}) as site, fetching(site) as fetcher:
        with pytest.raises(FetchError, match=r"robots\.txt forbids it") as caught:
            await fetcher.get(site.url("/a"), permit=permit)
    assert (caught.value.kind, len(caught.value.hops)) == ("refused", 2)
    assert site.counts["/secret"] == 0


async def test_private_headers_reach_their_own_host_alone() -> None:
    secret = (("Authorization", "Bearer abcdef"),)
    async with raw_server() as home, raw_server({"/b": answer(body=b"b")}) as other:
        home.routes["/a"] = redirect(other.url("/b"))
        home.routes["/echo"] = answer(headers=("X-Echo: Bearer abcdef",))
        async with fetching(home, other, headers={home.host: secret}) as fetcher:
            got = await fetcher.get(home.url("/a"))
            echo = await fetcher.get(home.url("/echo"))
            plain = await fetcher.get(other.url("/b"))
    assert home.requests[0].headers["authorization"] == "Bearer abcdef"
    assert all("authorization" not in request.headers for request in other.requests)
    assert (got.private, plain.private) == (True, False)
    assert (echo.redacted, echo.header("x-echo")) == (("X-Echo",), None)


def test_settings_do_not_show_secrets() -> None:
    made = settings(headers={"a:80": (("X", "hush"),)}, proxy="http://u:hush@proxy.example")
    assert "hush" not in repr(made)
    assert "hush" not in str(made.__rich_repr__())


# retries and waits


class Script:
    """A route that sends one reply after the other, the last one again and again."""

    def __init__(self, replies: list[bytes]) -> None:
        self.replies = replies

    async def __call__(self, _request: Request, wire: Wire) -> None:
        await wire.send(self.replies.pop(0) if len(self.replies) > 1 else self.replies[0])


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_statuses_that_may_pass_are_tried_again(status: int) -> None:
    script = Script([answer(f"{status} Later"), answer(body=b"now")])
    async with raw_server({"/a": script}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"))
    assert (got.status, got.body, got.attempts) == (200, b"now", 2)


async def test_after_the_last_attempt_the_status_is_the_answer() -> None:
    async with raw_server({"/a": answer("500 Oh")}) as site, fetching(site) as fetcher:
        got = await fetcher.get(site.url("/a"))
    assert (got.status, got.attempts, len(site.requests)) == (500, 4, 4)


async def test_retries_of_a_host_have_a_budget() -> None:
    async with (
        raw_server({"/a": answer("500 Oh")}) as site,
        fetching(site, retry_budget=1, retry_share=0.0) as fetcher,
    ):
        await fetcher.get(site.url("/a"))
        await fetcher.get(site.url("/a"))
    assert len(site.requests) == 3


async def test_a_short_retry_after_is_waited_for() -> None:
    late = NOW + timedelta(seconds=0.98)  # the date below is 20 ms ahead
    busy = answer("429 Slow Down", headers=("Retry-After: Fri, 19 Jun 2026 08:09:45 GMT",))
    async with (
        raw_server({"/a": Script([busy, answer()])}) as site,
        fetching(site, now=lambda: late, retry_budget=0, retry_share=0.0) as fetcher,
    ):
        got = await fetcher.get(site.url("/a"))
    assert (got.status, got.attempts) == (200, 2)


@pytest.mark.parametrize("value", ["-1", "soon", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9"])
async def test_a_retry_after_that_means_nothing_is_no_wait(value: str) -> None:
    busy = answer("503 Busy", headers=(f"Retry-After: {value}",))
    async with raw_server({"/a": Script([busy, answer()])}) as site, fetching(site) as fetcher:
        assert (await fetcher.get(site.url("/a"))).status == 200
        assert fetcher.politeness.not_before() == {}


async def test_a_long_retry_after_ends_the_hosts_turn() -> None:
    busy = answer("429 Slow Down", headers=("Retry-After: 86400",))
    async with raw_server({"/a": busy}) as site, fetching(site) as fetcher:
        for _ in range(2):
            with pytest.raises(HostResting, match="2026-06-20 08:09:44 UTC") as caught:
                await fetcher.get(site.url("/a"))
        assert fetcher.politeness.not_before() == {site.host: NOW + timedelta(days=1)}
    assert caught.value.until == NOW + timedelta(days=1)
    assert len(site.requests) == 1


async def test_a_host_that_only_refuses_is_left_alone() -> None:
    async with raw_server({"/a": answer("503 Busy")}) as site, fetching(site) as fetcher:
        assert (await fetcher.get(site.url("/a"))).status == 503
        error = await failure(fetcher, site.url("/a"))
        assert error.kind == "resting"
    assert len(site.requests) == 5


async def test_a_connection_that_was_closed_while_idle_costs_nothing() -> None:
    async def reply_and_close(request: Request, wire: Wire) -> None:
        await wire.send(answer(body=b"x"))
        wire.close()

    async with (
        raw_server({"/a": reply_and_close}) as site,
        fetching(site, retry_budget=0, retry_share=0.0) as fetcher,
    ):
        for _ in range(20):
            assert (await fetcher.get(site.url("/a"))).body == b"x"
    assert len(site.requests) == 20


# cancellation


async def test_a_cancelled_get_gives_its_place_back_and_closes_its_connection() -> None:
    begun = asyncio.Event()
    gone = asyncio.Event()

    async def half(request: Request, wire: Wire) -> None:
        await wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
        begun.set()
        await wire.reader.read()
        gone.set()

    async with (
        raw_server({"/a": half, "/b": answer(body=b"b")}) as site,
        fetching(site, concurrency=1) as fetcher,
    ):
        task = asyncio.create_task(fetcher.get(site.url("/a")))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(gone.wait(), 5)
        assert (await fetcher.get(site.url("/b"))).body == b"b"
        assert fetcher.politeness.state()[0].active == 0


async def test_a_fetcher_is_used_inside_its_block() -> None:
    async with fetching(named=("http://127.0.0.1:9/",)) as fetcher:
        pass
    with pytest.raises(RuntimeError, match="async with"):
        await fetcher.get("http://127.0.0.1:9/")


async def test_every_exchange_is_told() -> None:
    told: list[Requested] = []
    script = Script([answer("500 Oh"), answer(body=b"four")])
    async with (
        raw_server({"/a": redirect("/b"), "/b": script}) as site,
        fetching(site, observe=told.append) as fetcher,
    ):
        await fetcher.get(site.url("/a"))
    assert [(e.url, e.status, e.size) for e in told] == [
        (site.url("/a"), 302, 10),
        (site.url("/b"), 500, 0),
        (site.url("/b"), 200, 4),
    ]


# TLS, names and proxies


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def served_by(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def test_a_site_is_read_from_a_staging_server_with_its_own_authority(
    authority: trustme.CA, tmp_path: Path
) -> None:
    bundle = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    context = served_by(authority, "news.example")
    async with raw_server({"/a": answer(body=b"staged")}, tls=context) as site:
        resolve = (parse_resolve(f"news.example:443:127.0.0.1:{site.port}"),)
        async with fetching(resolve=resolve, ca_bundle=bundle) as fetcher:
            assert (await fetcher.get("https://news.example/a")).body == b"staged"
        wrong = (parse_resolve(f"other.example:443:127.0.0.1:{site.port}"),)
        async with fetching(resolve=wrong, ca_bundle=bundle) as fetcher:
            mismatch = await failure(fetcher, "https://other.example/a")
        async with fetching(resolve=resolve) as fetcher:
            unknown = await failure(fetcher, "https://news.example/a")
    assert (mismatch.kind, unknown.kind) == ("tls", "tls")
    assert "not valid for 'other.example'" in mismatch.sentence
    assert "certificate is not trusted" in unknown.sentence


async def test_a_plain_server_under_https_is_no_tls() -> None:
    async with raw_server() as site, fetching(site, connect_timeout=0.1, attempts=1) as fetcher:
        error = await failure(fetcher, site.url("/a").replace("http:", "https:"))
    assert (error.kind, error.sentence) == ("connect", "there was no connection within 0.1 seconds")


def test_a_bad_bundle_is_the_users_to_mend(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for path in (empty, tmp_path / "none.pem"):
        with pytest.raises(ConnectError, match=path.name):
            tls(path)


async def test_a_proxy_gets_the_whole_url_and_its_own_credentials() -> None:
    async with raw_server() as proxy:
        proxy.routes["http://news.example/a"] = answer(body=b"by proxy")
        url = f"http://user:pass@{proxy.host}"
        async with fetching(proxy=url) as fetcher:
            assert (await fetcher.get("http://news.example/a")).body == b"by proxy"
            tunnel = await failure(fetcher, "https://news.example/a")
    sent = proxy.requests[0].headers
    assert sent["proxy-authorization"] == encode_basic_auth("user", "pass")
    assert (tunnel.kind, tunnel.sentence) == ("proxy", "the proxy answered with status 404")


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "nonsense", "http://"])
def test_a_bad_proxy_is_the_users_to_mend(proxy: str) -> None:
    with pytest.raises(ConnectError, match="proxy"):
        proxy_of(proxy)


async def test_nobody_answers() -> None:
    async with raw_server() as site:
        gone = site.url("/a")
    async with fetching(named=(gone,)) as fetcher:
        error = await failure(fetcher, gone)
        assert (error.kind, error.attempts) == ("connect", 4)
        assert error.sentence == "the connection was refused"
        assert isinstance(await failure(fetcher, gone), HostResting)


async def test_what_is_no_url_is_said_so() -> None:
    async with fetching() as fetcher:
        for url in ("http://127.1/", "http://example.org:99999/", "http:///x"):
            assert (await failure(fetcher, url)).kind in {"url", "guard"}


def test_settings_need_only_an_agent() -> None:
    assert FetchSettings(agent="slugline/0").rate == 2.0


def test_servers_record_what_they_were_asked() -> None:
    assert RawServer(port=1).url("/x") == "http://127.0.0.1:1/x"
