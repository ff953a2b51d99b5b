"""What an article costs between two verifications, and how a site that hides edits is found out."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer
from crawler.events import Note
from storage.archive import Archive
from storage.writer import Writer
from tests.crawler.runs import history, reasons, run
from tests.crawler.small_site import Page, Route, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, 8)) as server:
        yield server


def asked_since(site: NewsroomServer, start: int) -> list[str]:
    """Return the articles' paths asked for since the request numbered ``start``."""
    return [p for p in site.paths()[start:] if p.startswith("/news/") and p[-1] != "/"]


async def made_older(root: Path, days: int) -> None:
    """Let the archive believe that everything was read ``days`` days ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    with Archive.open(root) as archive:
        states = [s for each in archive.sites() for s in archive.entries(each.name).values()]
    async with Writer(root) as writer:
        for state in states:
            verified = then if state.verified_at else None
            writer.note_entry(structs.replace(state, checked_at=then, verified_at=verified))


async def test_honest_dates_cost_no_request_an_article(
    site: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    start = len(site.requests)
    ran = await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert asked_since(site, start) == []
    assert ran.summary.unchanged == 8


@pytest.mark.parametrize("validators", ["content", "none"])
async def test_without_dates_one_request_an_article_is_enough(
    site: NewsroomServer, tmp_path: Path, validators: str
) -> None:
    site.validators = "none" if validators == "none" else "content"
    site.nonce = validators == "none"
    site.fault("/sitemap.xml", Fault(status=404))
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    start = len(site.requests)
    ran = await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert sorted(asked_since(site, start)) == sorted(f"/news/{s}" for s in site.newsroom.stories)
    assert ran.summary.snapshots == 0
    if validators == "content":
        pages = {f"/news/{slug}" for slug in site.newsroom.stories}
        assert {hit.status for hit in site.requests[start:] if hit.path in pages} == {304}


def tagged(page: Page) -> Route:
    """Answer 304 to whoever has ``page`` already."""
    tag = f'"{hash(page.body)}"'

    def answer(heard: Mapping[str, str]) -> Page:
        headers = page.headers | {"ETag": tag}
        if heard.get("If-None-Match") == tag:
            return Page(status=304, headers=headers)
        return structs.replace(page, headers=headers)

    return answer


@pytest.fixture
async def listed() -> AsyncIterator[SmallSite]:
    """Three tagged articles, each with a Markdown twin, in a sitemap without dates."""
    async with SmallSite({"/": Page(body="front")}) as site:
        for name in ("a", "b", "c"):
            head = f'<link rel="alternate" type="text/markdown" href="/{name}.md">'
            site.pages[f"/{name}"] = tagged(article(f"Story {name}", head=head))
            text = f"# Story {name}\n\nWhat is told of {name} is told here.\n"
            site.pages[f"/{name}.md"] = Page(body=text, type="text/markdown")
        site.list("/a", "/b", "/c")
        yield site


async def stories(site: SmallSite, root: Path, **settings: Any) -> list[str]:
    """Run once more and return the articles' paths asked for."""
    site.asked.clear()
    await run(f"{site.base}/", root, probe=False, **settings)
    return sorted(path for path in site.asked if path[1:].removesuffix(".md") in ("a", "b", "c"))


async def test_a_page_that_stands_is_all_that_is_asked_for(
    listed: SmallSite, tmp_path: Path
) -> None:
    await stories(listed, tmp_path / "m")
    for _ in range(2):
        assert await stories(listed, tmp_path / "m", verify="none") == ["/a", "/b", "/c"]
    assert len(history(tmp_path / "m")) == 3


async def test_an_edit_among_pages_that_stand_is_read_whole(
    listed: SmallSite, tmp_path: Path
) -> None:
    await stories(listed, tmp_path / "m")
    head = '<link rel="alternate" type="text/markdown" href="/b.md">'
    listed.pages["/b"] = tagged(article("Story b", words="It goes on. " * 60, head=head))
    listed.pages["/b.md"] = Page(body="# Story b\n\nIt goes on.\n", type="text/markdown")
    again = await stories(listed, tmp_path / "m", verify="none")
    assert again == ["/a", "/b", "/b.md", "/c"]
    assert reasons(tmp_path / "m", "b") == ["first", "undated"]
    assert await stories(listed, tmp_path / "m", verify="none") == ["/a", "/b", "/c"]


async def test_formats_that_are_wanted_only_now_are_fetched_though_pages_stand(
    listed: SmallSite, tmp_path: Path
) -> None:
    await stories(listed, tmp_path / "m", formats=("html",))
    again = await stories(listed, tmp_path / "m", verify="none")
    assert again == ["/a", "/a.md", "/b", "/b.md", "/c", "/c.md"]
    assert reasons(tmp_path / "m", "a") == ["first", "format-added"]
    assert await stories(listed, tmp_path / "m", verify="none") == ["/a", "/b", "/c"]


async def test_what_may_not_be_stored_is_never_asked_for_with_a_validator(
    listed: SmallSite, tmp_path: Path
) -> None:
    barred = Page(body=article("Story a").body, headers={"X-Robots-Tag": "noarchive"})
    listed.pages["/a"] = tagged(barred)
    for _ in range(3):
        listed.heard.clear()
        await stories(listed, tmp_path / "m", verify="none")
        asked = dict(zip(listed.asked, listed.heard[-len(listed.asked) :], strict=True))
        assert "If-None-Match" not in asked["/a"]


async def test_an_open_edit_is_read_whole(site: NewsroomServer, tmp_path: Path) -> None:
    slug = site.newsroom.records[0].slug
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    site.newsroom = site.newsroom.edit(slug)
    start = len(site.requests)
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert reasons(tmp_path / "m", slug) == ["first", "edit"]
    assert sorted(p for p in asked_since(site, start) if slug in p) == sorted(
        f"/news/{slug}{suffix}" for suffix in ("", ".md", ".txt", ".jsonld")
    )


async def test_a_silent_edit_is_found_by_verification_and_the_dates_are_believed_no_more(
    site: NewsroomServer, tmp_path: Path
) -> None:
    slug = site.newsroom.records[0].slug
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    site.newsroom = site.newsroom.edit_silently(slug)
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert reasons(tmp_path / "m", slug) == ["first"]
    await made_older(tmp_path / "m", 31)
    ran = await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert reasons(tmp_path / "m", slug) == ["first", "silent-edit"]
    assert any("no longer believed" in e.message for e in ran.events if isinstance(e, Note))
    start = len(site.requests)
    await run(f"{site.base}/", tmp_path / "m", verify="due")
    assert len(asked_since(site, start)) == 8
    assert len(history(tmp_path / "m")) == 9


async def test_a_young_article_is_read_again_long_before_an_old_one(tmp_path: Path) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}"
    dates = {"/young": yesterday, "/old": "2020-02-02T20:20:20Z"}
    pages = {path: article(path, modified=date) for path, date in dates.items()}
    listed = (
        f"<url><loc>BASE{p}</loc><lastmod>{date}</lastmod></url>" for p, date in dates.items()
    )
    sitemap = Page(body=f"<urlset>{''.join(listed)}</urlset>", type="application/xml")
    async with SmallSite({**pages, "/": Page(body="front"), "/sitemap.xml": sitemap}) as site:
        await run(f"{site.base}/", tmp_path / "m", verify="due", probe=False)
        for path, date in dates.items():
            site.pages[path] = article(path, modified=date, words="Silently other words. " * 40)
        await run(f"{site.base}/", tmp_path / "m", verify="due", probe=False)
        assert len(history(tmp_path / "m")) == 2
        await made_older(tmp_path / "m", 3)
        await run(f"{site.base}/", tmp_path / "m", verify="due", probe=False)
    assert reasons(tmp_path / "m", "young") == ["first", "silent-edit"]
    assert reasons(tmp_path / "m", "old") == ["first"]


async def test_what_an_older_backup_of_the_segments_lacks_is_fetched_again(
    site: NewsroomServer, tmp_path: Path
) -> None:
    root, slug = tmp_path / "m", site.newsroom.records[0].slug
    await run(f"{site.base}/", root, verify="due")
    shutil.copytree(root / "segments", tmp_path / "backup")
    site.newsroom = site.newsroom.edit(slug)
    await run(f"{site.base}/", root, verify="due")
    assert reasons(root, slug) == ["first", "edit"]
    shutil.rmtree(root / "segments")
    shutil.copytree(tmp_path / "backup", root / "segments")
    await run(f"{site.base}/", root, verify="due")
    assert reasons(root, slug) == ["first", "edit"]
    assert len(history(root)) == 9
