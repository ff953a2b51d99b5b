"""Originals on other hosts: captured once, under their own host's rules, and told apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from crawler.events import Passed
from storage.archive import Archive
from storage.model import EntryState
from storage.writer import Writer
from tests.crawler.runs import Ran, history, run
from tests.crawler.small_site import Page, SmallSite, article

#: Tests' servers are all on loopback, where links may not lead by themselves.
LOOPBACK = ("127.0.0.0/8",)


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


@pytest.fixture
async def source() -> AsyncIterator[SmallSite]:
    async with SmallSite({"/original": article("The original")}) as small:
        yield small


def copies(site: SmallSite, source: SmallSite, *paths: str) -> None:
    """Publish articles that all name one original."""
    original = f"{source.base}/original"
    site.pages |= {path: article(f"Copy {path}", canonical=original) for path in paths}
    site.list(*paths)


async def go(site: SmallSite, root: Path, **settings: Any) -> Ran:
    return await run(f"{site.base}/", root, allow_address=LOOPBACK, probe=False, **settings)


def captured(root: Path) -> list[str]:
    with Archive.open(root) as archive:
        return [row.url for row in archive.newest_all(canonicals=True) if row.implicit]


async def made_older(root: Path, url: str, days: int) -> None:
    """Let the archive believe that ``url`` was looked at ``days`` days ago."""
    then = datetime.now(UTC) - timedelta(days=days)
    with Archive.open(root) as archive:
        (name,) = (each.name for each in archive.sites() if each.implicit)
    state = EntryState(
        site=name, url=url, verdict="article", slug="original", checked_at=then, run="earlier"
    )
    async with Writer(root) as writer:
        writer.note_entry(state)


async def test_one_original_of_many_copies_is_captured_once(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    copies(site, source, "/a", "/b", "/c")
    ran = await go(site, tmp_path)
    assert captured(tmp_path) == [f"{source.base}/original"]
    assert source.asked == ["/robots.txt", "/original"]
    assert ran.summary.sites == 1


async def test_it_is_left_alone_until_its_time_has_come_again(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    copies(site, source, "/a")
    await go(site, tmp_path)
    source.asked.clear()
    await go(site, tmp_path)
    assert source.asked == []
    await made_older(tmp_path, f"{source.base}/original", 31)
    await go(site, tmp_path)
    assert source.asked == ["/robots.txt", "/original"]
    assert len(captured(tmp_path)) == 1


async def test_how_long_that_is_the_user_says(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    copies(site, source, "/a")
    await go(site, tmp_path)
    await made_older(tmp_path, f"{source.base}/original", 31)
    source.asked.clear()
    await go(site, tmp_path, canonical_every=60)
    assert source.asked == []


async def test_one_on_a_site_of_the_archive_is_an_article_of_that_site(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    source.pages |= {"/": Page(body="<h1>Home</h1>"), "/known": article("Known")}
    source.list("/known")
    await go(source, tmp_path)
    copies(site, source, "/a")
    source.asked.clear()
    for _ in range(2):
        ran = await go(site, tmp_path)
        assert ran.summary.sites == 1
    assert source.asked.count("/original") == 1
    assert captured(tmp_path) == []
    assert {row.slug for row in history(tmp_path)} == {"known", "original", "a"}


async def test_the_robots_txt_of_its_own_host_binds(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    source.pages["/robots.txt"] = Page(body="User-agent: *\nDisallow: /")
    copies(site, source, "/a")
    ran = await go(site, tmp_path)
    assert source.asked == ["/robots.txt"]
    assert captured(tmp_path) == []
    assert ran.failures == {}


async def test_one_that_can_not_be_had_is_no_failure_of_the_site(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    source.pages["/original"] = Page(status=500)
    copies(site, source, "/a")
    ran = await go(site, tmp_path)
    assert ran.failures == {}
    passed = {event.url: event.verdict for event in ran.events if isinstance(event, Passed)}
    assert passed[f"{source.base}/original"] == "failed"
    assert [row.slug for row in history(tmp_path)] == ["a"]


async def test_its_own_original_is_not_followed(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    async with SmallSite({"/first": article("The first")}) as first:
        source.pages["/original"] = article("The original", canonical=f"{first.base}/first")
        copies(site, source, "/a")
        await go(site, tmp_path)
        assert captured(tmp_path) == [f"{source.base}/original"]
        assert first.asked == []


async def test_none_is_asked_for_where_the_user_wants_none(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    copies(site, source, "/a")
    await go(site, tmp_path, follow_canonical=False)
    assert source.asked == []


async def test_no_other_page_of_its_host_comes_along(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    link = '<a href="/more">More</a><a href="/yet">Yet more</a>'
    page = source.pages["/original"]
    assert isinstance(page, Page)
    source.pages["/original"] = Page(body=page.body.replace("</article>", f"</article>{link}"))
    source.pages["/more"] = article("More")
    copies(site, source, "/a")
    await go(site, tmp_path)
    assert source.asked == ["/robots.txt", "/original"]


async def test_a_copys_words_and_dates_are_its_own(
    site: SmallSite, source: SmallSite, tmp_path: Path
) -> None:
    source.pages["/original"] = article("The original", modified="2026-06-19T00:00:00Z")
    copies(site, source, "/a")
    site.pages["/a"] = article(
        "Copy", canonical=f"{source.base}/original", modified="2026-06-01T00:00:00Z"
    )
    await go(site, tmp_path)
    (row,) = history(tmp_path, "a")
    assert (row.title, row.updated_at) == ("Copy", datetime(2026, 6, 1, tzinfo=UTC))
    assert row.findings == ()
