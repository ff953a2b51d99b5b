"""Handing readings to the store: what becomes a snapshot, what is only noted, and who fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import structs

from crawler.article.format_set import Known
from crawler.events import Failed, Happened, Note, Stored, Unchanged
from crawler.vanishing import Sighting
from storage.archive import Archive
from storage.errors import ArchiveError, StoreFailed
from storage.model import EntryState
from tests.crawler.desk import desk
from tests.crawler.runs import history, reasons
from tests.crawler.small_site import Page, SmallSite, article


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def entry(root: Path, url: str) -> EntryState:
    with Archive.open(root) as archive:
        return archive.entries("site")[url]


async def test_a_new_article_is_told_when_it_is_durable_and_its_entry_stands_beside_it(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        reading = await made.read("/a")
        judged = await made.keeper.keep(reading, Known(), lambda s: made.state(reading, s))
        assert made.events == []
        await made.keeper.drain()
        assert [type(event) for event in made.events] == [Stored]
        assert (judged.reason, reasons(tmp_path, "a")) == ("first", ["first"])
        assert entry(tmp_path, f"{site.base}/a").verdict == "article"


async def test_an_article_as_it_was_is_unchanged_and_its_entry_is_noted(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
        run = made.run
        assert [type(event) for event in made.events] == [Unchanged]
    assert reasons(tmp_path, "a") == ["first"]
    assert entry(tmp_path, f"{site.base}/a").run == run


async def test_what_the_archive_has_is_found_by_every_url_of_the_article(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("Story"), "/p": article("Story", canonical="BASE/a")}
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/p"))
    async with desk(site, tmp_path) as made:
        for path in ("/a", "/p"):
            newest = (await made.keeper.known(site.base + path)).newest
            assert newest is not None
            assert newest.slug == "a"
        assert await made.keeper.known(f"{site.base}/b") == Known()


async def test_another_name_of_a_known_article_is_an_event_and_once_only(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("Story"), "/p": article("Story", canonical="BASE/a")}
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
    for _ in range(2):
        async with desk(site, tmp_path) as made:
            await made.keep(await made.read("/p"))
            told = [event.event for event in made.events if isinstance(event, Happened)]
        with Archive.open(tmp_path) as archive:
            assert [row.event for row in archive.events("site", "a")] == ["alias"]
    assert told == []
    assert reasons(tmp_path, "a") == ["first"]


async def test_an_alias_is_noted_once_and_only_of_an_article(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
        for target in ("/a", "/a", "/nothing"):
            await made.keeper.add_alias(f"{site.base}/other", site.base + target)
        await made.keeper.drain()
        told = [event.event for event in made.events if isinstance(event, Happened)]
    assert told == ["alias"]
    with Archive.open(tmp_path) as archive:
        assert archive.resolve(f"{site.base}/other") == [("site", "a")]


async def test_a_parser_that_reads_more_than_its_older_self_makes_no_edit(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        reading = await made.read("/a")
        page = reading.copies["html"]
        older = structs.replace(page.facts, extractor="html/0", words="Half of it.")
        copies = {"html": structs.replace(page, facts=older)}
        await made.keep(structs.replace(reading, copies=copies))
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
    assert reasons(tmp_path, "a") == ["first"]


async def test_an_article_that_can_not_be_written_down_fails_alone_and_is_due_again(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("A"), "/b": article("B")}
    async with desk(site, tmp_path) as made:
        reading = await made.read("/a")
        page = reading.copies["html"]
        facts = structs.replace(page.facts, title="half a pair: \ud800")
        broken = structs.replace(reading, copies={"html": structs.replace(page, facts=facts)})
        await made.keep(broken)
        await made.keep(await made.read("/b"))
        failed = [event for event in made.events if isinstance(event, Failed)]
    assert [event.url for event in failed] == [f"{site.base}/a"]
    assert [row.slug for row in history(tmp_path)] == ["b"]
    assert entry(tmp_path, f"{site.base}/a").verdict == "failed"


async def test_a_store_that_fails_is_raised_by_the_next_one_who_hands_over_or_waits(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("A"), "/b": article("B")}
    async with desk(site, tmp_path / "m") as made:
        (tmp_path / "m" / "segments").write_text("a file where a folder belongs")
        with pytest.raises(StoreFailed):
            await made.keep(await made.read("/a"))
        with pytest.raises(ArchiveError):
            await made.keep(await made.read("/b"))
        assert made.events == []
    (tmp_path / "m" / "segments").unlink()
    assert history(tmp_path / "m") == []


async def test_an_entry_that_leads_to_another_article_now_begins_that_ones_history(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/p"] = article("Story", canonical="BASE/a")
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/p"))
    site.pages["/p"] = article("Another", canonical="BASE/b")
    site.pages["/b"] = article("Another")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/p"))
    assert reasons(tmp_path, "a") == ["first"]
    assert reasons(tmp_path, "b") == ["first"]


async def test_a_name_of_an_article_that_this_run_found_is_stored_behind_it(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        reading = await made.read("/a")
        await made.keeper.keep(reading, Known(), lambda s: made.state(reading, s))
        await made.keeper.add_alias(f"{site.base}/other", f"{site.base}/a")
        await made.keeper.drain()
        assert [type(event) for event in made.events] == [Stored, Happened]


async def test_a_page_whose_own_text_alone_changed_is_unchanged_and_noted(
    site: SmallSite, tmp_path: Path
) -> None:
    link = '<link rel="alternate" type="text/markdown" href="/a.md">'
    site.pages["/a"] = article("Story", head=link)
    site.pages["/a.md"] = Page(body="# Story\n\nWords.\n", type="text/markdown")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
    site.pages["/a"] = article("Story", head=link, words="Read also: another story. " * 20)
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
        note, last = made.events[-2:]
        assert isinstance(note, Note)
        assert "the page's own text changed, its text formats did not" in note.message
        assert isinstance(last, Unchanged)


async def test_an_article_without_a_snapshot_is_nobody_and_departs_unseen(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages["/a"] = article("Story")
    async with desk(site, tmp_path) as made:
        reading = await made.read("/a")
        assert not await made.keeper.is_same("nobody", reading)
        assert not await made.keeper.is_renamed("nobody", reading)
        sighting = Sighting(slug="nobody", url=f"{site.base}/x", status=404, why="404")
        await made.keeper.depart(sighting, "gone", made.state(reading, "nobody"))
        await made.keeper.drain()
        assert made.events == []
