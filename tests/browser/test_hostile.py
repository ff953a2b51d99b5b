"""A site full of scripts, mirrored: none runs on any page, and no page asks anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from html import unescape
from pathlib import Path

import pytest
import pytest_asyncio
from msgspec import Struct
from playwright.async_api import Browser, BrowserContext

from storage.archive import Archive, SnapshotRow
from storage.model import Manifest
from storage.web import paths
from tests.browser.hostile_site import PAYLOADS, payloads, routes
from tests.browser.pages import context_of
from tests.browser.serving import served, slugline
from tests.browser.watching import Watch, opened
from tests.crawler.raw_server import RawServer, raw_server

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

#: Pages that are open at once: more wait for the same two cores.
_AT_ONCE = 4
#: Addresses that an article opens of those whose ways are the same for all.
_TURNS = 2


class Hostile(Struct, frozen=True, kw_only=True):
    """The mirror as it is served, and the two servers that must not hear of its readers."""

    root: Path
    address: str
    site: RawServer
    canary: RawServer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hostile(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hostile]:
    root = tmp_path_factory.mktemp("hostile") / "mirror"
    async with raw_server() as site, raw_server() as canary:
        base = site.url("")
        for edition in ("", " again"):
            site.routes = routes(base, canary.host, edition)
            await slugline("mirror", f"{base}/", "--into", root, "--rate", "0", "--quiet")
        async with served(root) as address:
            yield Hostile(root=root, address=address, site=site, canary=canary)


def _addresses(root: Path, canary: str) -> Iterator[str]:
    """Give the addresses of pages and documents of the mirror: every kind, with every payload.

    What shows a site's words in a way of its own is opened for each article; of the rest, whose
    ways are the same, each article has its turn at some.
    """
    with Archive.open(root) as archive:
        newest = list(archive.newest_all())
        site = newest[0].site
        yield from ("/", "/feed.atom", "/.well-known/resourcesync", "/openapi.json")
        yield from (paths.site_path(site), f"/latest/{paths.segment(site)}/")
        yield f"/resourcesync/{paths.segment(site)}/changelist.xml"
        for n, (row, payload) in enumerate(zip(newest, payloads(canary), strict=True)):
            asked = (
                paths.site_path(site, q=payload, topic=payload),
                "/search" + paths.query_of(q=payload),
                paths.article_path(site, payload),
            )
            yield asked[n % len(asked)]
            first = archive.history(row.site, row.slug)[0]
            own, rest = _of_article(first, row, archive.manifest(row))
            yield from own
            yield from ((*rest, *rest)[n * _TURNS % len(rest) :])[:_TURNS]


def _of_article(
    first: SnapshotRow, newest: SnapshotRow, manifest: Manifest
) -> tuple[list[str], list[str]]:
    html = next(one for one in manifest.representations if one.format == "html")
    own = [
        paths.article_path(newest.site, newest.slug),
        paths.snapshot_path(newest),
        paths.format_path(newest, "html"),
        paths.format_path(newest, "markdown"),
        paths.memento_path(html.url, html.fetched_at),
        paths.compare_path(first, newest, "html"),
    ]
    rest = [paths.feed_path(newest.site, newest.slug), paths.snapshot_path(first)]
    rest += [paths.format_path(newest, name, "frame") for name in ("html", "markdown")]
    for one in manifest.representations:
        shown = paths.format_path(newest, one.format)
        rest += [f"{shown}?raw", f"{shown}/raw", paths.timemap_path(one.url, "json")]
        rest.append(f"/latest/{paths.segment(newest.site)}/{one.format}/{paths.uri(one.url)}")
        if one is not html:
            rest += [shown, paths.memento_path(one.url, one.fetched_at)]
            rest.append(paths.compare_path(first, newest, one.format))
    return own, rest


async def test_every_payload_was_mirrored_twice(hostile: Hostile) -> None:
    with Archive.open(hostile.root) as archive:
        rows = list(archive.all_history())
        for row in rows:
            number = int((row.title or "").split()[0])
            payload = payloads(hostile.canary.host)[number]
            assert row.slug == f"{number}{payload}"
            assert row.formats == ("html", "markdown", "text", "jsonld")
            record = archive.manifest(row).record
            assert record is not None
            for said in (record.summary or "", *record.topics[:1], *record.entities):
                # References in JSON-LD are characters, as whoever writes them means.
                assert unescape(said).startswith(unescape(payload)[:16])
    assert len(rows) == 2 * len(PAYLOADS) == 40


async def test_no_script_runs_and_nobody_else_is_asked(browser: Browser, hostile: Hostile) -> None:
    hostile.site.requests.clear()
    hostile.site.connections = hostile.canary.connections = 0
    watch = Watch(hostile.address)
    waiting = list(_addresses(hostile.root, hostile.canary.host))
    async with context_of(browser) as context:
        await watch.over(context)
        await asyncio.gather(*(_visit(context, hostile, waiting) for _ in range(_AT_ONCE)))
    assert (watch.ran, watch.asked, watch.opened) == ([], [], [])
    assert (hostile.site.connections, hostile.canary.connections) == (0, 0)


async def test_a_mirrored_page_leads_nowhere_by_a_click(browser: Browser, hostile: Hostile) -> None:
    """Its links and its form may be clicked: the page stays, and nobody is asked."""
    hostile.canary.connections = 0
    watch = Watch(hostile.address)
    with Archive.open(hostile.root) as archive:
        url = f"{hostile.address}{paths.format_path(next(iter(archive.newest_all())), 'html')}"
    async with context_of(browser) as context:
        await watch.over(context)
        page = await context.new_page()
        for what in ("top", "new", "send", "here", "self", "drawn", "moved"):
            await opened(page, url)
            await page.frame_locator("iframe").get_by_text(what, exact=True).click()
            await page.reload()
            assert page.url == url
    assert (watch.ran, watch.asked, watch.opened) == ([], [], [])
    assert hostile.canary.connections == 0


async def _visit(context: BrowserContext, hostile: Hostile, waiting: list[str]) -> None:
    page = await context.new_page()
    while waiting:
        await opened(page, f"{hostile.address}{waiting.pop()}")


async def test_the_watch_sees_what_the_sites_own_pages_do(
    browser: Browser, hostile: Hostile
) -> None:
    """Opened at their own site, the same pages run scripts and ask the canary."""
    watch = Watch("none")
    first = next(target for target in hostile.site.routes if target.startswith("/news/0"))
    async with context_of(browser) as context:
        await watch.over(context)
        await (await context.new_page()).goto(hostile.site.url(first))
    assert any(each.startswith("dialog") for each in watch.ran)
    assert "console" in watch.ran
    assert any(hostile.canary.host in each for each in watch.asked)
    assert hostile.canary.connections > 0
