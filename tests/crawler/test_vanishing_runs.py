"""Whole runs against sites whose articles go, come back, move, or seem to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer
from crawler.events import Happened, Note, Stored
from storage.archive import Archive
from storage.model import Draft, EventKind, Manifest, Site
from storage.reindex import reindex
from storage.writer import Writer
from tests.crawler.runs import Ran, entries, history, reasons, run
from tests.crawler.small_site import Page, SmallSite, article

STORIES = 12


@pytest.fixture
async def room() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, STORIES)) as server:
        yield server


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def happened(ran: Ran) -> list[tuple[str, str]]:
    return sorted((e.slug, e.event) for e in ran.events if isinstance(e, Happened))


def stored(ran: Ran) -> list[tuple[str, str]]:
    return sorted((e.slug, e.reason) for e in ran.events if isinstance(e, Stored))


def notes(ran: Ran) -> str:
    return "\n".join(event.message for event in ran.events if isinstance(event, Note))


def first_slug(room: NewsroomServer) -> str:
    return room.newsroom.records[0].slug


async def seen_gone_before(root: Path, slug: str, hours: float) -> None:
    """Let the archive believe that ``slug`` was last heard of as seen gone ``hours`` ago."""
    then = datetime.now(UTC) - timedelta(hours=hours)
    with Archive.open(root) as archive:
        (site,) = archive.sites()
        newest = archive.newest(site.name, slug)
    assert newest is not None
    async with Writer(root, clock=lambda: then) as writer:
        await writer.commit(_event(newest, site, "gone-seen", then))


def _event(newest: Manifest, site: Site, event: EventKind, at: datetime) -> Draft:
    return Draft(
        manifest=Manifest(
            kind="event",
            event=event,
            site=site.name,
            scope=site.scope,
            slug=newest.slug,
            url=newest.url,
            observed_at=at,
            run="earlier",
        )
    )


class TestGone:
    async def test_one_404_is_only_seen_and_its_answer_kept(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.newsroom = room.newsroom.delete(slug)
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), stored(ran), ran.failures) == ([(slug, "gone-seen")], [], {})
        again = await run(f"{room.base}/", tmp_path)
        assert happened(again) == []
        with Archive.open(tmp_path) as archive:
            (event,) = archive.events(archive.sites()[0].name, slug)
            manifest = archive.manifest(event)
            assert [record.role for record in manifest.records] == ["evidence"]
            assert all(row.gone_at is None for row in archive.newest_all())

    @pytest.mark.parametrize("status", [404, 403, 500])
    async def test_what_was_verified_before_stays_so(
        self, site: SmallSite, tmp_path: Path, status: int
    ) -> None:
        site.pages |= {"/a": article("Story")}
        site.list("/a")
        await run(f"{site.base}/", tmp_path)
        verified = entries(tmp_path)[f"{site.base}/a"].verified_at
        site.pages["/a"] = Page(status=status)
        await run(f"{site.base}/", tmp_path)
        state = entries(tmp_path)[f"{site.base}/a"]
        assert state.verdict != "article"
        assert verified is not None
        assert state.verified_at == verified

    async def test_the_second_one_long_enough_after_makes_it_gone(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.newsroom = room.newsroom.delete(slug)
        await run(f"{room.base}/", tmp_path)
        await seen_gone_before(tmp_path, slug, 25)
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), ran.summary.gone) == ([(slug, "gone")], 1)
        assert happened(await run(f"{room.base}/", tmp_path)) == []
        with Archive.open(tmp_path) as archive:
            assert [row.slug for row in archive.newest_all() if row.gone_at] == [slug]

    async def test_a_410_needs_an_hour(self, room: NewsroomServer, tmp_path: Path) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.newsroom = room.newsroom.delete(slug, status=410)
        await run(f"{room.base}/", tmp_path)
        await seen_gone_before(tmp_path, slug, 2)
        assert happened(await run(f"{room.base}/", tmp_path)) == [(slug, "gone")]

    async def test_one_that_comes_back_is_returned(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        whole = room.newsroom
        room.newsroom = whole.delete(slug)
        await run(f"{room.base}/", tmp_path)
        await seen_gone_before(tmp_path, slug, 25)
        await run(f"{room.base}/", tmp_path)
        room.newsroom = whole
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), stored(ran)) == ([(slug, "returned")], [])
        assert reasons(tmp_path, slug) == ["first"]
        assert happened(await run(f"{room.base}/", tmp_path)) == []

    async def test_one_found_again_before_it_was_gone_begins_anew(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        whole, without = room.newsroom, room.newsroom.delete(slug)
        room.newsroom = without
        await run(f"{room.base}/", tmp_path)
        await seen_gone_before(tmp_path, slug, 25)
        room.newsroom = whole
        assert happened(await run(f"{room.base}/", tmp_path)) == []
        room.newsroom = without
        assert happened(await run(f"{room.base}/", tmp_path)) == [(slug, "gone-seen")]

    async def test_many_at_once_are_the_sites_trouble(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        for record in room.newsroom.records[:6]:
            room.newsroom = room.newsroom.delete(record.slug)
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), stored(ran), ran.summary.gone) == ([], [], 0)
        assert "mass-gone" in notes(ran)

    async def test_a_site_that_answers_404_for_everything_loses_nothing(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        paths = [*room.newsroom.paths(), "/robots.txt", "/sitemap.xml"]
        for path in paths:
            room.fault(path, Fault(status=404))
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), stored(ran)) == ([], [])
        assert "mass-gone" in notes(ran)
        room.faults.clear()
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), stored(ran), ran.summary.unchanged) == ([], [], STORIES)

    async def test_a_list_of_half_the_articles_takes_nothing_away(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        paths = [f"/{number}" for number in range(12)]
        site.pages |= {path: article(f"Story {path}") for path in paths}
        site.list(*paths)
        await run(f"{site.base}/", tmp_path, probe=False)
        site.list(*paths[:6])
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran), ran.summary.unchanged) == ([], [], 12)

    @pytest.mark.parametrize("status", [401, 403, 451])
    async def test_a_refusal_tells_nothing_of_the_article(
        self, room: NewsroomServer, tmp_path: Path, status: int
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.fault(f"/news/{slug}", Fault(status=status))
        ran = await run(f"{room.base}/", tmp_path)
        assert happened(ran) == []
        assert "blocked" in ran.failures[f"{room.base}/news/{slug}"]
        room.fault(f"/news/{slug}", None)
        ran = await run(f"{room.base}/", tmp_path)
        assert (happened(ran), ran.summary.unchanged) == ([], STORIES)


class TestMoved:
    @pytest.mark.parametrize("workers", [1, 16])
    async def test_a_rename_that_redirects_is_one_article_and_both_names_find_it(
        self, room: NewsroomServer, tmp_path: Path, workers: int
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.newsroom = room.newsroom.move(slug, "another-name")
        ran = await run(f"{room.base}/", tmp_path, workers=workers)
        assert (happened(ran), stored(ran)) == ([(slug, "moved")], [])
        assert ran.summary.unchanged == STORIES
        with Archive.open(tmp_path) as archive:
            name = archive.sites()[0].name
            for said in (slug, "another-name", f"{room.base}/news/another-name"):
                assert archive.resolve(said) == [(name, slug)]
            (event,) = archive.events(name, slug)
            assert event.detail["to"] == f"{room.base}/news/another-name"
            roles = [record.role for record in archive.manifest(event).records]
            assert roles == ["hop"]
        again = await run(f"{room.base}/", tmp_path)
        assert (happened(again), stored(again)) == ([], [])
        room.newsroom = room.newsroom.edit("another-name")
        edited = await run(f"{room.base}/", tmp_path)
        assert (happened(edited), stored(edited)) == ([], [(slug, "edit")])

    async def test_one_that_moves_twice_is_still_one(
        self, room: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        for before, after in ((slug, "second"), ("second", "third")):
            room.newsroom = room.newsroom.move(before, after)
            ran = await run(f"{room.base}/", tmp_path)
            assert (happened(ran), stored(ran)) == ([(slug, "moved")], [])

    async def test_one_that_moved_can_go(self, room: NewsroomServer, tmp_path: Path) -> None:
        await run(f"{room.base}/", tmp_path)
        slug = first_slug(room)
        room.newsroom = room.newsroom.move(slug, "second")
        await run(f"{room.base}/", tmp_path)
        room.newsroom = room.newsroom.delete("second")
        assert happened(await run(f"{room.base}/", tmp_path)) == [(slug, "gone-seen")]

    async def test_a_redirect_to_another_article_merges_nothing(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("A"), "/b": article("B")}
        site.list("/a", "/b")
        await run(f"{site.base}/", tmp_path, probe=False)
        site.pages["/a"] = Page(status=301, headers={"Location": "/b"})
        for expected in ([("a", "gone-seen")], []):
            ran = await run(f"{site.base}/", tmp_path, probe=False)
            assert (happened(ran), stored(ran)) == (expected, [])
        assert {row.slug for row in history(tmp_path)} == {"a", "b"}

    async def test_a_redirect_to_an_unlike_new_article_is_no_move(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("A"), "/b": article("B")}
        site.list("/a", "/b")
        await run(f"{site.base}/", tmp_path, probe=False)
        site.pages["/a"] = Page(status=301, headers={"Location": "/c"})
        site.pages["/c"] = article("C")
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([("a", "gone-seen")], [("c", "first")])

    async def test_articles_that_redirect_to_the_front_page_are_not_merged(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        paths = [f"/{number}" for number in range(12)]
        site.pages |= {path: article(f"Story {path}") for path in paths}
        site.pages["/"] = Page(body="<html><h1>Home</h1>")
        site.list(*paths)
        await run(f"{site.base}/", tmp_path, probe=False)
        for path in paths[:3]:
            site.pages[path] = Page(status=301, headers={"Location": "/"})
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([(n, "gone-seen") for n in "012"], [])
        for path in paths:
            site.pages[path] = Page(status=301, headers={"Location": "/"})
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([], [])
        assert "mass-gone" in notes(ran)

    async def test_a_redirect_for_now_says_nothing(self, site: SmallSite, tmp_path: Path) -> None:
        site.pages |= {"/a": article("A"), "/b": article("B")}
        site.list("/a", "/b")
        await run(f"{site.base}/", tmp_path, probe=False)
        page = site.pages["/a"]
        for target in ("/", "/b", "/nowhere"):
            site.pages["/"] = Page(body="<html><h1>Home</h1>")
            site.pages["/a"] = Page(status=302, headers={"Location": target})
            site.pages["/nowhere"] = Page(status=503)
            ran = await run(f"{site.base}/", tmp_path, probe=False)
            assert (target, happened(ran), stored(ran)) == (target, [], [])
        site.pages["/a"] = page
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran), ran.summary.unchanged) == ([], [], 2)

    async def test_a_new_article_of_an_old_title_is_an_article_of_its_own(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("Weekly", words="One. " * 200)}
        site.list("/a")
        await run(f"{site.base}/", tmp_path, probe=False)
        site.pages["/b"] = article("Weekly", words="Two. " * 200)
        site.list("/b", "/a")
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([], [("b", "first")])


async def test_a_known_article_that_is_a_mere_page_now_fails_and_is_asked_again(
    site: SmallSite, tmp_path: Path
) -> None:
    site.pages |= {"/a": article("A"), "/b": article("B")}
    site.list("/a", "/b")
    await run(f"{site.base}/", tmp_path, probe=False)
    page = site.pages["/a"]
    assert isinstance(page, Page)
    site.pages["/a"] = structs.replace(page, body="<html><title>Oops</title><p>Not here")
    ran = await run(f"{site.base}/", tmp_path, probe=False)
    assert (happened(ran), stored(ran)) == ([], [])
    assert ran.failures.keys() == {f"{site.base}/a"}
    site.pages["/a"] = page
    site.list("/b")
    ran = await run(f"{site.base}/", tmp_path, probe=False)
    assert (happened(ran), ran.summary.unchanged) == ([], 2)


def error_page(words: str = "We are sorry, there is nothing to be read here. " * 30) -> Page:
    """Write what a careless site shows for what is not there, with status 200."""
    return article("Sorry", words=words)


class TestSoftNotFound:
    async def test_what_a_made_up_url_shows_is_no_article(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("A"), "/b": article("B")}
        site.list("/a", "/b")
        await run(f"{site.base}/", tmp_path, probe=False)
        site.pages["/a"] = site.pages["/c"] = site.otherwise = error_page()
        site.list("/a", "/b", "/c")
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([], [])
        assert ran.failures.keys() == {f"{site.base}/a", f"{site.base}/c"}
        assert "soft 404" in ran.failures[f"{site.base}/a"]

    async def test_one_text_under_five_entries_is_stored_for_none(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        paths = [f"/{number}" for number in range(9)]
        site.pages |= {path: article(f"Story {path}") for path in paths}
        site.list(*paths)
        await run(f"{site.base}/", tmp_path, probe=False)
        site.pages |= dict.fromkeys(paths[:5], error_page())
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert (happened(ran), stored(ran)) == ([], [])
        assert ran.failures.keys() == {site.base + path for path in paths[:5]}

    async def test_a_site_that_shows_an_error_for_everything_stores_nothing(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        paths = [f"/{number}" for number in range(9)]
        site.pages |= dict.fromkeys(paths, error_page())
        site.list(*paths)
        ran = await run(f"{site.base}/", tmp_path, probe=False)
        assert stored(ran) == []
        assert {site.base + path for path in paths} <= ran.failures.keys()

    async def test_an_unchanged_site_is_asked_for_nothing_made_up(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages |= {"/a": article("A")}
        site.list("/a")
        await run(f"{site.base}/", tmp_path, probe=False)
        site.asked.clear()
        await run(f"{site.base}/", tmp_path, probe=False)
        assert {len(path) for path in site.asked} < set(range(20))


async def test_round_after_round_each_change_is_told_once_and_nothing_else(
    room: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{room.base}/", tmp_path)
    slugs = [record.slug for record in room.newsroom.records]
    gone: list[str] = []
    moved: dict[str, str] = {}
    for number in range(3):
        edited, silent, deleted, renamed = slugs[4 * number : 4 * number + 4]
        old = room.newsroom
        room.newsroom = old.edit(edited).edit_silently(silent).delete(deleted)
        room.newsroom = room.newsroom.move(renamed, f"new-name-{number}").add()
        added = (room.newsroom.stories.keys() - old.stories.keys() - {f"new-name-{number}"}).pop()
        ran = await run(f"{room.base}/", tmp_path, gone_after=0)
        events = [(deleted, "gone-seen"), (renamed, "moved"), *((slug, "gone") for slug in gone)]
        assert happened(ran) == sorted(events)
        news = [(edited, "edit"), (silent, "silent-edit"), (added, "first")]
        assert stored(ran) == sorted(news)
        gone = [deleted]
        moved[renamed] = f"new-name-{number}"
    with Archive.open(tmp_path) as archive:
        for before, after in moved.items():
            assert archive.resolve(after) == archive.resolve(before)


async def test_a_run_that_verifies_only_what_is_due_asks_for_what_the_list_dropped(
    room: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{room.base}/", tmp_path)
    first, second = (record.slug for record in room.newsroom.records[:2])
    room.newsroom = room.newsroom.delete(first).move(second, "second")
    ran = await run(f"{room.base}/", tmp_path, verify="due")
    assert (happened(ran), stored(ran)) == ([(first, "gone-seen"), (second, "moved")], [])
    again = await run(f"{room.base}/", tmp_path, verify="due")
    assert (happened(again), stored(again)) == ([], [])


async def test_what_is_gone_is_still_gone_after_a_reindex(
    room: NewsroomServer, tmp_path: Path
) -> None:
    await run(f"{room.base}/", tmp_path)
    slug = first_slug(room)
    room.newsroom = room.newsroom.delete(slug)
    await run(f"{room.base}/", tmp_path)
    await seen_gone_before(tmp_path, slug, 25)
    await run(f"{room.base}/", tmp_path)
    reindex(tmp_path, datetime.now(UTC))
    with Archive.open(tmp_path) as archive:
        assert [row.slug for row in archive.newest_all() if row.gone_at] == [slug]
    assert happened(await run(f"{room.base}/", tmp_path)) == []
