"""A person reads the past: finds an article, compares its editions, opens formats and dates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from playwright.async_api import Browser, Page, expect

from storage.web import paths
from tests.browser.newsroom import WORD, Read
from tests.browser.pages import DESKTOP, PHONE, reader

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


class Camera(Struct, frozen=True):
    """Takes pictures of whole pages into a folder."""

    page: Page
    folder: Path

    async def take(self, name: str) -> None:
        await self.page.screenshot(path=self.folder / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    "looks",
    [
        {"viewport": DESKTOP, "color_scheme": "light", "java_script_enabled": True},
        {"viewport": PHONE, "color_scheme": "dark", "java_script_enabled": False},
    ],
    ids=["desktop", "phone-without-javascript"],
)
async def test_the_past_is_found_compared_and_read(
    browser: Browser, newsroom: Read, tmp_path: Path, looks: dict[str, Any]
) -> None:
    async with reader(browser, newsroom, **looks) as page:
        camera = Camera(page, tmp_path)
        await page.goto("/")
        await camera.take("home")
        await _find_by_a_word(page, newsroom, camera)
        await _compare_the_oldest_with_the_newest(page, newsroom, camera)
        await _read_the_markdown_and_the_text(page, newsroom, camera)
        await _go_to_the_first_date(page, newsroom, camera)


async def _find_by_a_word(page: Page, read: Read, camera: Camera) -> None:
    await page.get_by_label("Words in an article").fill(WORD)
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("mark")).to_have_text(re.compile(WORD, re.IGNORECASE))
    await camera.take("search")
    await page.locator("main").get_by_role("link", name=read.title).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(read.title)
    await camera.take("article")


async def _compare_the_oldest_with_the_newest(page: Page, read: Read, camera: Camera) -> None:
    first, *_, newest = (paths.row_key(row) for row in read.story)
    await page.get_by_label(f"From {first}").check()
    await page.get_by_label(f"To {newest}").check()
    await page.get_by_role("button", name="Compare word by word").click()
    added = page.locator("ins").filter(has_text="Quincunx")
    await expect(added).to_be_visible()
    await expect(added).to_contain_text("at dusk")
    await expect(page.locator("del").filter(has_text="Quincunx")).to_have_count(0)
    await camera.take("compare")
    await page.get_by_role("navigation", name="Where this is").get_by_text(read.title).click()


async def _read_the_markdown_and_the_text(page: Page, read: Read, camera: Camera) -> None:
    await page.get_by_role("link", name="markdown").first.click()
    shown = page.frame_locator("iframe").locator("em", has_text="Quincunx")
    await expect(shown).to_be_visible()
    await camera.take("markdown")
    await page.get_by_role("link", name="Source").click()
    await expect(page.get_by_role("region", name="The text")).to_contain_text("*Quincunx*")
    async with page.expect_response(lambda answer: answer.url.endswith("/raw")) as raw:
        await page.get_by_role("link", name="The exact bytes").click()
    assert await (await raw.value).body() == read.markdown
    await page.go_back()
    formats = page.get_by_role("navigation", name="Formats")
    await formats.get_by_role("link", name="text").click()
    text = page.get_by_role("region", name="The text")
    await expect(text).to_contain_text("The ferry Quincunx sailed at dusk")
    await formats.get_by_role("link", name="html").click()
    heading = page.frame_locator("iframe").get_by_role("heading", name=read.title)
    await expect(heading).to_be_visible()
    await camera.take("html")


async def _go_to_the_first_date(page: Page, read: Read, camera: Camera) -> None:
    """Follow the link that names a date to that edition, and to its bytes of that moment."""
    await page.get_by_role("navigation", name="Where this is").get_by_text(read.title).click()
    dated = f"{read.story[0].updated_at:%Y-%m-%d %H:%M}"
    await page.get_by_role("link", name=dated, exact=True).click()
    await expect(page.locator("main")).to_contain_text(f"As dated {dated}, revision 0")
    await camera.take("snapshot")
    link = page.get_by_role("link", name="as received").first
    href = await link.get_attribute("href") or ""
    moment = re.fullmatch(r"/memento/(\d{14})/(.*)", href)
    assert moment is not None, href
    async with page.expect_response(lambda answer: "/memento/" in answer.url) as answer:
        await link.click()
    got = await answer.value
    assert got.status == 200
    assert moment[1][:8] == f"{read.story[0].observed_at:%Y%m%d}"
    assert "Memento-Datetime".lower() in got.headers
    await expect(page.get_by_role("heading", name=read.title)).to_be_visible()
    assert "Quincunx" not in await got.text()
    await page.goto(f"{paths.article_path(read.site, read.story[0].slug)}/{moment[1][:4]}-12-31")
    await expect(page.locator("main")).to_contain_text("The newest snapshot")
