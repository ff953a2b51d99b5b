"""Another slugline mirrors this one over ResourceSync, and ends with the same bytes and words."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import aiohttp
import pytest
from aiohttp import web
from msgspec import Struct, structs
from yarl import URL

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import NewsroomServer
from crawler.events import Happened, Note, Requested
from crawler.urls import site_name
from storage.archive import Archive
from storage.web.server import ServeSettings, Serving
from tests.crawler.runs import Ran, history, reasons, run
from tests.crawler.small_site import SmallSite, article

ARTICLES = 12


class Kept(Struct, frozen=True):
    """What a mirror has of an article now: its key, and digests of words and of decoded bytes."""

    updated_at: datetime
    words: dict[str, str]
    bytes: dict[str, str]


def kept(root: Path) -> dict[str, Kept]:
    with Archive.open(root) as archive:
        manifests = [archive.manifest(row) for row in archive.newest_all()]
        return {
            each.slug: Kept(
                each.key.updated_at if each.key else each.observed_at,
                {source: digest.digest for source, digest in each.content.items()},
                {
                    one.format: hashlib.sha256(archive.body(each, one.format).decoded).hexdigest()
                    for one in each.representations
                },
            )
            for each in manifests
        }


@asynccontextmanager
async def served(root: Path) -> AsyncIterator[str]:
    """Serve the mirror at ``root``, and give its address."""
    async with Serving(ServeSettings(root=root, port=0)).listening() as serving:
        yield serving.address


@pytest.fixture
async def newsroom() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, ARTICLES)) as server:
        yield server


async def sync(url: str, into: Path) -> Ran:
    return await run(url, into, verify="due")


def formats_asked(ran: Ran) -> list[str]:
    """Return the formats' URLs that a run asked another mirror for."""
    asked = (each.url for each in ran.events if isinstance(each, Requested))
    return [url for url in asked if "/latest/" in url and not url.endswith("/")]


async def test_a_mirror_of_a_mirror_has_the_same_bytes_words_and_dates(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    before = len(newsroom.requests)
    async with served(tmp_path / "a") as address:
        ran = await run(f"{address}/", tmp_path / "b")
    assert ran.failures == {}
    assert len(kept(tmp_path / "b")) == ARTICLES
    assert kept(tmp_path / "b") == kept(tmp_path / "a")
    assert len(newsroom.requests) == before
    # robots.txt, the page, four lists, four formats an article
    assert ran.summary.requests == 6 + 4 * ARTICLES


async def test_an_edit_arrives_by_the_list_of_changes_and_nothing_else_is_asked_for(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
        open_edit, silent = (each.slug for each in newsroom.newsroom.records[:2])
        newsroom.newsroom = newsroom.newsroom.edit(open_edit).edit_silently(silent)
        await run(f"{newsroom.base}/", tmp_path / "a")
        ran = await sync(f"{address}/", tmp_path / "b")
        again = await sync(f"{address}/", tmp_path / "b")
    assert kept(tmp_path / "b") == kept(tmp_path / "a")
    assert reasons(tmp_path / "b", open_edit) == ["first", "edit"]
    assert reasons(tmp_path / "b", silent) == ["first", "silent-edit"]
    assert len(history(tmp_path / "b")) == ARTICLES + 2
    # two articles of four formats, and three lists: the mirror's, the site's, its changes
    assert len(formats_asked(ran)) == 8
    assert ran.summary.requests == 8 + 3
    assert formats_asked(again) == []
    assert again.summary.requests == 3


async def test_what_changed_too_long_ago_is_found_by_the_hashes_of_the_whole_list(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
        slug = newsroom.newsroom.records[0].slug
        newsroom.newsroom = newsroom.newsroom.edit_silently(slug)
        await run(f"{newsroom.base}/", tmp_path / "a")
        # Another selection: what was known of the lists is not believed.
        ran = await run(f"{address}/", tmp_path / "b", verify="due", exclude=("*/nothing",))
    assert kept(tmp_path / "b") == kept(tmp_path / "a")
    assert len(formats_asked(ran)) == 4


async def test_an_unfinished_copy_is_continued_and_a_finished_one_verified(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        first = await run(f"{address}/", tmp_path / "b", max_articles=5)
        due = await run(f"{address}/", tmp_path / "b", verify="due")
        verified = await run(f"{address}/", tmp_path / "b")
    assert (len(formats_asked(first)), len(formats_asked(due))) == (4 * 5, 4 * (ARTICLES - 5))
    assert len(formats_asked(verified)) == 4 * ARTICLES
    assert verified.summary.snapshots == 0
    assert kept(tmp_path / "b") == kept(tmp_path / "a")


async def test_the_third_in_a_row_has_what_the_first_has(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
    async with served(tmp_path / "b") as address:
        ran = await run(f"{address}/", tmp_path / "c")
    assert ran.failures == {}
    assert kept(tmp_path / "c") == kept(tmp_path / "a")


async def test_relative_links_mean_what_they_mean_at_their_publisher(tmp_path: Path) -> None:
    page = article("Tide tables", words="See the map and the list of all of the ports. " * 20)
    linked = page.body.replace("See the map", '</p><p>See <a href="../maps/1">the map</a>', 1)
    async with SmallSite({"/a/tides": structs.replace(page, body=linked)}) as site:
        site.list("/a/tides")
        await run(f"{site.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
        with Archive.open(tmp_path / "b") as archive:
            (row,) = archive.newest_all()
            assert archive.manifest(row).canonical == {}
            assert row.url.startswith(f"{address}/latest/")
    assert kept(tmp_path / "b") == kept(tmp_path / "a")


async def test_an_article_without_a_date_is_filed_under_the_same_moment(tmp_path: Path) -> None:
    async with SmallSite({"/a/undated": article("Undated")}) as site:
        site.list("/a/undated")
        await run(f"{site.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
    assert kept(tmp_path / "b") == kept(tmp_path / "a")


async def test_names_that_were_given_there_are_kept(tmp_path: Path) -> None:
    pages = {path: article(f"Story {path}") for path in ("/one/story", "/two/story", "/z/other")}
    async with SmallSite(dict(pages)) as site:
        site.list(*pages)
        await run(f"{site.base}/", tmp_path / "a")
        name = site_name(f"{site.base}/")
    async with served(tmp_path / "a") as address:
        ran = await run(f"{address}/latest/{quote(name)}/", tmp_path / "b")
    assert ran.failures == {}
    assert kept(tmp_path / "b") == kept(tmp_path / "a")
    assert len(kept(tmp_path / "b")) == 3


async def test_a_format_and_an_article_that_are_gone_there_go(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    first, second = (each.slug for each in newsroom.newsroom.records[:2])
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
        newsroom.newsroom = newsroom.newsroom.drop_format(first, "text").delete(second, status=410)
        for _ in range(2):
            await run(f"{newsroom.base}/", tmp_path / "a", gone_after=0)
        ran = await sync(f"{address}/", tmp_path / "b")
    assert reasons(tmp_path / "b", first) == ["first", "format-removed"]
    assert kept(tmp_path / "b")[first] == kept(tmp_path / "a")[first]
    seen = [each.slug for each in ran.events if isinstance(each, Happened)]
    assert seen == [second]


async def test_an_article_that_moved_there_stays_one_article(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    slug = newsroom.newsroom.records[0].slug
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address:
        await run(f"{address}/", tmp_path / "b")
        newsroom.newsroom = newsroom.newsroom.move(slug, "new-name").edit("new-name")
        await run(f"{newsroom.base}/", tmp_path / "a")
        await sync(f"{address}/", tmp_path / "b")
    assert len(kept(tmp_path / "a")) == ARTICLES
    assert kept(tmp_path / "b") == kept(tmp_path / "a")


async def test_other_bytes_than_the_list_says_are_no_format(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    slug = newsroom.newsroom.records[0].slug
    async with served(tmp_path / "a") as address, lying(address, f"/{slug}.md") as liar:
        ran = await run(f"{liar}/", tmp_path / "b")
        (row,) = history(tmp_path / "b", slug)
        assert row.state == "partial"
        assert "other bytes than its list says" in row.missing["markdown"]
        assert ran.summary.partial == 1
        mended = await run(f"{address}/", tmp_path / "c")
    assert mended.failures == {}


async def test_a_mirror_whose_lists_fail_is_not_taken_for_a_site_of_pages(
    newsroom: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{newsroom.base}/", tmp_path / "a")
    async with served(tmp_path / "a") as address, lying(address, "list.xml", 503) as liar:
        ran = await run(f"{liar}/", tmp_path / "b")
    assert ran.summary.articles == 0
    assert [url.rpartition("/")[2] for url in ran.failures] == ["capabilitylist.xml"]


async def test_a_scope_that_holds_nothing_of_what_is_listed_is_said(tmp_path: Path) -> None:
    async with SmallSite({"/a": article("A")}) as site:
        site.list("/a")
        await run(f"{site.base}/", tmp_path / "a")
        name = quote(site_name(f"{site.base}/"))
    async with served(tmp_path / "a") as address:
        ran = await run(f"{address}/sites/{name}", tmp_path / "b")
    assert ran.summary.articles == 0
    said = [each.message for each in ran.events if isinstance(each, Note) and each.trouble]
    assert any(f"lists is elsewhere, as at {address}/latest/" in each for each in said)


@asynccontextmanager
async def lying(address: str, end: str, status: int = 200) -> AsyncIterator[str]:
    """Stand before a server, and add a word to what is at the addresses with that ``end``.

    With another ``status`` they answer that, and nothing more.
    """
    app = web.Application()

    async def handle(request: web.Request) -> web.Response:
        url = URL(address + request.rel_url.raw_path_qs, encoded=True)
        hit = request.path.endswith(end)
        if hit and status != HTTPStatus.OK:
            return web.Response(status=status)
        async with session.get(url, headers={"Host": request.headers["Host"]}) as got:
            body = await got.read() + (b"\nfalse" if hit else b"")
            return web.Response(body=body, status=got.status, headers=passed(got.headers))

    def passed(headers: Mapping[str, str]) -> dict[str, str]:
        return {name: headers[name] for name in ("Content-Type", "ETag") if name in headers}

    app.router.add_route("GET", "/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    async with aiohttp.ClientSession() as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        await runner.cleanup()
