"""Everybody can read it: no serious fault by axe-core, the keyboard alone, a narrow screen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from storage.web import paths
from tests.browser.newsroom import WORD, Read
from tests.browser.pages import DESKTOP, PHONE, kinds, reader

pytestmark = [pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

#: WCAG 2.2's levels A and AA, and what axe-core's authors advise beyond.
_RULES = {
    "resultTypes": ["violations"],
    "iframes": False,
    "rules": {"target-size": {"enabled": True}},
}
#: What a narrow screen and other colours can break.
_LOOKS = {
    **_RULES,
    "runOnly": ["color-contrast", "target-size", "scrollable-region-focusable", "link-name"],
}
#: Between them these have every element and colour of ours.
_SHOWN_DARK = {"home", "site", "search", "article", "snapshot", "text", "comparison"}
#: Narrower than nearly every phone (WCAG 2.2 section 1.4.10: 320 CSS pixels).
_NARROW = 320
#: More than any page of the newsroom's has.
_MOST_STOPS = 200

#: What has the focus: its words and name, whether its place is marked, and whether it is in view.
_FOCUSED = """() => {
  const one = document.activeElement;
  const mark = one.querySelector(".hit") || one;
  const style = getComputedStyle(mark), box = one.getBoundingClientRect();
  const all = [...document.querySelectorAll("*")];
  return {
    place: all.indexOf(one),
    name: one.getAttribute("aria-label") || one.name || one.textContent.trim(),
    marked: style.outlineStyle !== "none" || parseFloat(style.strokeWidth) > 1,
    seen: box.bottom > 0 && box.top < innerHeight && box.right > 0,
  };
}"""


async def _faults(page: Page, rules: dict[str, Any]) -> list[str]:
    found = (await Axe().run(page, options=rules)).response["violations"]
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


async def test_axe_finds_no_serious_fault_on_any_kind_of_page(
    browser: Browser, newsroom: Read
) -> None:
    faults = {}
    async with reader(browser, newsroom) as page:
        for what, path in kinds(newsroom).items():
            await page.set_viewport_size(DESKTOP)
            await page.emulate_media(color_scheme="light")
            await page.goto(path)
            faults[what, "light"] = await _faults(page, _RULES)
            if what in _SHOWN_DARK:
                await page.set_viewport_size(PHONE)
                await page.emulate_media(color_scheme="dark")
                faults[what, "dark"] = await _faults(page, _LOOKS)
    assert {what: found for what, found in faults.items() if found} == {}


async def test_no_page_is_wider_than_a_narrow_screen(browser: Browser, newsroom: Read) -> None:
    widths = {}
    size = {"width": _NARROW, "height": 600}
    async with reader(browser, newsroom, viewport=size) as page:
        for what, path in kinds(newsroom).items():
            await page.goto(path)
            await page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            widths[what] = await page.evaluate("document.documentElement.scrollWidth")
    assert {what: width for what, width in widths.items() if width > _NARROW} == {}


async def _tabbed(page: Page) -> list[dict[str, Any]]:
    """Press Tab through a page, to its last link and no further: the browser's own parts follow."""
    found: list[dict[str, Any]] = []
    for _ in range(_MOST_STOPS):
        await page.keyboard.press("Tab")
        found.append(await page.evaluate(_FOCUSED))
        if await page.evaluate("document.activeElement.matches('footer a:last-of-type')"):
            return found
    raise AssertionError("Tab did not come to the end of the page")


@pytest.mark.parametrize("what", ["home", "site narrowed down", "article", "comparison"])
async def test_the_focus_goes_through_a_page_in_order_and_is_seen(
    browser: Browser, newsroom: Read, what: str
) -> None:
    async with reader(browser, newsroom, viewport=DESKTOP) as page:
        await page.goto(kinds(newsroom)[what])
        stops = await _tabbed(page)
        assert stops[0]["name"] == "Skip to the content"
        places = [stop["place"] for stop in stops]
        assert places == sorted(places)
        assert [stop["name"] for stop in stops if not (stop["marked"] and stop["seen"])] == []


async def _tab_to(page: Page, name: str) -> None:
    for _ in range(_MOST_STOPS):
        await page.keyboard.press("Tab")
        focused = await page.evaluate(_FOCUSED)
        if name in focused["name"]:
            return
    raise AssertionError(f"Tab did not come to {name} in {_MOST_STOPS} stops")


async def test_the_keyboard_alone_finds_and_compares(browser: Browser, newsroom: Read) -> None:
    first, *_, newest = (paths.row_key(row) for row in newsroom.story)
    async with reader(browser, newsroom, viewport=DESKTOP) as page:
        await page.goto("/")
        await _tab_to(page, "q")
        await page.keyboard.type(WORD)
        await page.keyboard.press("Enter")
        await expect(page).to_have_title(re.compile(WORD))
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await expect(page.locator("main")).to_be_focused()
        await _tab_to(page, newsroom.title)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text(newsroom.title)
        # A group of radio buttons is one stop; the arrows choose within it.
        await _tab_to(page, "From ")
        for _ in newsroom.story[2:]:
            await page.keyboard.press("ArrowDown")
        await expect(page.get_by_label(f"From {first}")).to_be_checked()
        await expect(page.get_by_label(f"To {newest}")).to_be_checked()
        await _tab_to(page, "Compare word by word")
        await page.keyboard.press("Enter")
        await expect(page.locator("ins").filter(has_text="Quincunx")).to_be_visible()
