"""Whole runs over pages that send their reader on, and over links that lead nowhere."""

from __future__ import annotations

from pathlib import Path

from crawler.events import Happened
from tests.crawler.runs import history, run
from tests.crawler.small_site import Page, SmallSite, article

ALIAS = Page(
    body='<!doctype html><title>x</title><meta http-equiv="refresh" content="0; url=/new/a">'
)


def home(*paths: str) -> Page:
    links = "".join(f'<a href="{path}">x</a>' for path in paths)
    return Page(body=f"<!doctype html><title>x</title><h1>x</h1>{links}")


async def test_a_page_that_sends_its_reader_on_is_another_name_of_the_article(
    tmp_path: Path,
) -> None:
    async with SmallSite({"/old/a": ALIAS, "/new/a": article("A")}) as site:
        await run(f"{site.base}/old/a", tmp_path / "m")
        assert [(row.slug, row.url) for row in history(tmp_path / "m")] == [
            ("a", f"{site.base}/new/a")
        ]


async def test_an_alias_linked_beside_its_article_gives_no_second_one(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages |= {"/": home("/old/a", "/new/a"), "/old/a": ALIAS, "/new/a": article("A")}
        await run(f"{site.base}/", tmp_path / "m")
        assert [row.url for row in history(tmp_path / "m")] == [f"{site.base}/new/a"]


async def test_a_dead_link_is_no_article_that_went(tmp_path: Path) -> None:
    async with SmallSite({"/": home("/a", "/never-was"), "/a": article("A")}) as site:
        ran = await run(f"{site.base}/", tmp_path / "m")
        assert "/never-was" in site.asked
        assert (ran.summary.articles, ran.summary.gone, ran.summary.failed) == (1, 0, 0)
        del site.pages["/a"]
        again = await run(f"{site.base}/", tmp_path / "m")
        assert [event.event for event in again.events if isinstance(event, Happened)] == [
            "gone-seen"
        ]
