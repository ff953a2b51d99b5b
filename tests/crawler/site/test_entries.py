"""What becomes of one entry of a run: an article, a page, a failure, a dead link."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crawler.discovery.traps import BARREN_PAGES
from crawler.events import Failed, Note, Passed
from storage.archive import Archive
from tests.crawler.runs import Ran, entries, history, run
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def passed(ran: Ran) -> dict[str, str]:
    return {event.url: event.verdict for event in ran.events if isinstance(event, Passed)}


class TestEntries:
    """What an entry comes to."""

    async def test_two_entries_of_one_article_are_one_and_its_other_name_is_kept(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("Story"), "/b": article("Story", canonical="BASE/a")}
        site.list("/a", "/b")
        ran = await run(f"{site.base}/", tmp_path / "m", workers=1)
        assert [row.slug for row in history(tmp_path / "m")] == ["a"]
        assert passed(ran)[f"{site.base}/b"] == "skipped"
        with Archive.open(tmp_path / "m") as archive:
            assert [slug for _, slug in archive.resolve(f"{site.base}/b")] == ["a"]

    async def test_a_listed_url_that_is_not_there_fails_and_a_linked_one_is_a_dead_link(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages["/"] = Page(body="<html><h1>Home</h1><a href=/linked>x</a>")
        site.list("/listed")
        ran = await run(f"{site.base}/", tmp_path / "m")
        assert ran.failures.keys() == {f"{site.base}/listed"}
        assert passed(ran)[f"{site.base}/linked"] == "dead link"

    async def test_a_url_that_robots_txt_forbids_is_skipped_and_no_failure(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/robots.txt": Page(body="User-agent: *\nDisallow: /a"), "/b": article("B")}
        site.list("/a", "/b")
        ran = await run(f"{site.base}/", tmp_path / "m")
        assert ran.failures == {}
        assert passed(ran)[f"{site.base}/a"] == "skipped"
        assert entries(tmp_path / "m")[f"{site.base}/a"].verdict == "skipped"

    async def test_a_failure_is_known_the_second_time_and_counted_on(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": Page(status=500), "/b": article("Story")}
        site.list("/a", "/b")
        known = []
        for _ in range(2):
            ran = await run(f"{site.base}/", tmp_path / "m")
            known += [event.known for event in ran.events if isinstance(event, Failed)]
        assert known == [False, True]
        state = entries(tmp_path / "m")[f"{site.base}/a"]
        assert (state.verdict, state.attempts) == ("failed", 2)

    async def test_no_more_articles_than_asked_for_are_taken_up(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        names = [f"/{number}" for number in range(9)]
        site.pages |= {name: article(name) for name in names}
        site.list(*names)
        await run(f"{site.base}/", tmp_path / "m", max_articles=2, probe=False)
        assert len(history(tmp_path / "m")) == 2
        assert len([path for path in site.asked if path in names]) == 2


class TestDeadLinks:
    """Links that lead nowhere, by the thousand."""

    async def test_those_of_one_shape_are_asked_for_fifty_times_and_listed_ones_always(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        links = "".join(f'<a href="/old/{number}">x</a>' for number in range(400))
        site.pages |= {"/": Page(body=links), "/a": article("Story")}
        site.list("/a", *(f"/old/{number}" for number in range(390, 400)))
        ran = await run(f"{site.base}/", tmp_path / "m", workers=1, probe=False)
        asked = [path for path in site.asked if path.startswith("/old/")]
        assert len(asked) <= BARREN_PAGES + 10 + 2  # two connections
        assert {f"/old/{number}" for number in range(390, 400)} <= set(asked)
        assert [row.slug for row in history(tmp_path / "m")] == ["a"]
        assert any(isinstance(each, Note) and "left out" in each.message for each in ran.events)
