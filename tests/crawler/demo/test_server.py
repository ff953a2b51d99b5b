"""The demo's server: validators, conditional requests, codings, and the faults on request."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import ClientSession

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer


@pytest.fixture
async def server() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, 3)) as running:
        yield running


@pytest.fixture
async def client(server: NewsroomServer) -> AsyncIterator[ClientSession]:
    async with ClientSession(server.base, auto_decompress=False) as session:
        yield session


def path_of(server: NewsroomServer, suffix: str = "") -> str:
    return f"/news/{server.newsroom.records[0].slug}{suffix}"


async def test_serves_every_page_and_logs_it(server: NewsroomServer, client: ClientSession) -> None:
    for path in server.newsroom.paths():
        async with client.get(path, headers={"Accept-Encoding": "identity"}) as answer:
            page = server.newsroom.page(path)
            assert answer.status == 200
            assert await answer.read() == page.body
            assert answer.content_type == page.media_type
    assert server.paths() == list(server.newsroom.paths())
    assert server.requests[0].header("accept-encoding") == "identity"
    assert server.requests[0].host == f"127.0.0.1:{server.port}"


async def test_gzip_has_an_etag_of_its_own(server: NewsroomServer, client: ClientSession) -> None:
    path = path_of(server, ".md")
    async with client.get(path, headers={"Accept-Encoding": "gzip"}) as zipped:
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(await zipped.read()) == server.newsroom.page(path).body
    async with client.get(path, headers={"Accept-Encoding": "gzip;q=0"}) as plain:
        assert "Content-Encoding" not in plain.headers
        assert plain.headers["ETag"] != zipped.headers["ETag"]
        assert plain.headers["Vary"] == "Accept-Encoding"


async def test_only_alternates_carry_a_canonical_link(
    server: NewsroomServer, client: ClientSession
) -> None:
    url = server.newsroom.records[0].url
    for suffix, link in (("", None), (".md", f'<{url}>; rel="canonical"')):
        async with client.get(path_of(server, suffix)) as answer:
            assert answer.headers.get("Link") == link


async def test_unchanged_pages_are_a_304(server: NewsroomServer, client: ClientSession) -> None:
    path = path_of(server)
    async with client.get(path) as answer:
        etag, date = answer.headers["ETag"], answer.headers["Last-Modified"]
    for headers, status in (
        ({"If-None-Match": f'"other", W/{etag}'}, 304),
        ({"If-None-Match": '"other"', "If-Modified-Since": date}, 200),
        ({"If-Modified-Since": date}, 304),
    ):
        async with client.get(path, headers=headers) as answer:
            assert answer.status == status
            assert (await answer.read() == b"") is (status == 304)


async def test_a_silent_edit_hides_from_validators_made_of_the_date(
    server: NewsroomServer, client: ClientSession
) -> None:
    path, slug = path_of(server, ".md"), server.newsroom.records[0].slug
    seen = {}
    for kind in ("content", "date"):
        server.validators = "content" if kind == "content" else "date"
        before = server.newsroom
        async with client.get(path) as answer:
            etag = answer.headers["ETag"]
        server.newsroom = before.edit_silently(slug)
        async with client.get(path, headers={"If-None-Match": etag}) as answer:
            seen[kind] = answer.status
        server.newsroom = before
    assert seen == {"content": 200, "date": 304}


async def test_no_validators(server: NewsroomServer, client: ClientSession) -> None:
    server.validators = "none"
    async with client.get(path_of(server)) as answer:
        assert "ETag" not in answer.headers
        assert "Last-Modified" not in answer.headers


async def test_a_nonce_makes_every_page_new_and_leaves_the_text(
    server: NewsroomServer, client: ClientSession
) -> None:
    server.nonce = True
    for suffix, kinds in (("", 2), (".md", 1)):
        bodies = set()
        for _ in range(2):
            async with client.get(path_of(server, suffix)) as answer:
                bodies.add(gzip.decompress(await answer.read()))
        assert len(bodies) == kinds


async def test_faults_befall_a_path_and_heal(server: NewsroomServer, client: ClientSession) -> None:
    path = path_of(server, ".txt")
    server.fault(path, Fault(status=429, retry_after="7", times=1))
    async with client.get(path) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "7")
        assert "ETag" not in answer.headers
    async with client.get(path) as answer:
        assert answer.status == 200
    server.fault(
        path, Fault(body=b"<html>", media_type="text/html", headers=(("X-Robots-Tag", "a"),))
    )
    async with client.get(path) as answer:
        assert (await answer.read(), answer.content_type) == (b"<html>", "text/html")
        assert answer.headers["X-Robots-Tag"] == "a"
    server.fault(path, None)
    async with client.get(path) as answer:
        assert answer.content_type == "text/plain"
    assert server.paths(429) == [path]


async def test_cut_and_dropped_answers(server: NewsroomServer, client: ClientSession) -> None:
    path = path_of(server)
    server.fault(path, Fault(cut=True, delay=0.001))
    with pytest.raises(aiohttp.ClientPayloadError):
        async with client.get(path) as answer:
            await answer.read()
    server.fault(path, Fault(drop=True))
    with pytest.raises(aiohttp.ClientError):
        await client.get(path)
    assert server.requests[-1].status == 0


async def test_moved_and_missing_pages(server: NewsroomServer, client: ClientSession) -> None:
    path, slug = path_of(server), server.newsroom.records[0].slug
    server.newsroom = server.newsroom.move(slug, "elsewhere")
    async with client.get(path, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (301, f"{server.base}/news/elsewhere")
    async with client.get("/nowhere") as answer:
        assert answer.status == 404
    async with client.head("/about/") as answer:
        assert (answer.status, await answer.read()) == (200, b"")


async def test_a_public_name_stands_in_the_pages() -> None:
    async with NewsroomServer(
        lambda base: Newsroom.create(base, 1), base="https://news.example"
    ) as server:
        assert server.newsroom.records[0].url.startswith("https://news.example/news/")
