"""Known articles that are not where they were: gathered over a run, concluded at its end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from crawler.article.copies import CopyFailed
from crawler.article.reading import NoArticle
from crawler.events import Happened, Note
from crawler.facts import Facts
from crawler.frontier import Entry
from crawler.site.departures import MASS_SAID, Departures, why_blocked
from crawler.vanishing import Proofs
from storage.archive import Archive
from storage.model import EntryState, Payload
from tests.crawler.desk import Desk, desk
from tests.crawler.fetching import NOW
from tests.crawler.small_site import Page, SmallSite, article

DAY = timedelta(days=1)
FACTS = Facts(source="html", extractor="html/1")


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


async def kept(site: SmallSite, root: Path, *paths: str) -> None:
    """Let an earlier run have had the articles at ``paths``."""
    site.pages |= {path: article(f"Story {path}") for path in paths}
    async with desk(site, root) as made:
        for path in paths:
            await made.keep(await made.read(path))


def missing(url: str, status: int = 404) -> CopyFailed:
    return CopyFailed(url, f"the server answered {status}", status=status)


def hops(url: str, *statuses: int) -> Proofs:
    return Proofs(
        payloads=tuple(
            Payload(role="hop", url=url, status=status, fetched_at=NOW) for status in statuses
        )
    )


def told(made: Desk) -> list[tuple[str, str]]:
    return [(each.slug, each.event) for each in made.events if isinstance(each, Happened)]


async def settled(made: Desk, departures: Departures) -> None:
    await departures.settle(known=1)
    await made.keeper.drain()


async def test_an_article_is_gone_when_it_is_missed_twice_far_enough_apart(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a")
    url = f"{site.base}/a"
    for hours, events in ((0, ["gone-seen"]), (23, []), (25, ["gone"]), (99, [])):
        async with desk(site, tmp_path) as made:
            made.now = NOW + timedelta(hours=hours)
            departures = made.departures()
            assert departures.failed(url, missing(url)) == "the server answered 404"
            assert departures.missing(url)
            await settled(made, departures)
            assert told(made) == [("a", event) for event in events]


async def test_one_that_is_found_after_all_is_not_missed(site: SmallSite, tmp_path: Path) -> None:
    await kept(site, tmp_path, "/a")
    url = f"{site.base}/a"
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        departures.failed(url, missing(url))
        departures.lives("a")
        await settled(made, departures)
        assert told(made) == []


async def test_only_known_articles_and_answers_that_say_so_are_sightings(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a")
    url, other = f"{site.base}/a", f"{site.base}/never-seen"
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        assert departures.failed(other, missing(other)) == ""
        for status in (0, 401, 403, 451, 500, 503):
            assert departures.failed(url, missing(url, status)) == ""
        assert not departures.missing(url)
        assert departures.failed(url, missing(url, 410))


async def test_a_known_article_that_shows_a_page_is_gone_only_by_a_redirect_for_good(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a")
    url, home = f"{site.base}/a", f"{site.base}/"

    def page(place: str, *statuses: int) -> NoArticle:
        entry = Entry(url=url, source="sitemap")
        found = hops(url, *statuses)
        return NoArticle(entry=entry, url=place, facts=FACTS, why="a list", redirected=found)

    async with desk(site, tmp_path) as made:
        departures = made.departures()
        assert departures.became_page(home, page(home)) == ""
        assert "no article any more" in departures.became_page(url, page(url))
        for statuses in ((302,), (301, 302), ()):
            assert "for now" in departures.became_page(url, page(home, *statuses))
        assert not departures.missing(url)
        assert "for good" in departures.became_page(url, page(home, 301, 308))
        assert departures.missing(url)


async def test_a_redirect_for_good_to_the_same_title_is_a_move_and_to_another_is_none(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a", "/b")
    site.pages["/new-a"] = site.pages["/a"]
    site.pages["/other"] = article("Something else")
    for path, target in (("/a", "/new-a"), ("/b", "/other")):
        site.pages[path] = Page(status=301, headers={"Location": target})
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        reading = await made.read("/a")
        assert "for good" in departures.led_to(f"{site.base}/a", reading)
        move = await departures.move(f"{site.base}/a", reading)
        assert move is not None
        assert (move.slug, move.start) == ("a", f"{site.base}/a")
        assert [each.status for each in move.evidence.payloads] == [301]
        reading = await made.read("/b")
        assert await departures.move(f"{site.base}/b", reading) is None
        assert departures.missing(f"{site.base}/b")


async def test_a_redirect_to_what_another_entry_has_counts_unless_that_is_the_same_article(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a", "/b")
    site.pages["/a"] = Page(status=301, headers={"Location": "/b"})
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        reading = await made.read("/a")
        why = departures.led_to(f"{site.base}/a", reading)
        departures.taken(f"{site.base}/a", reading, why)
        departures.lives("b")
        await settled(made, departures)
        assert told(made) == [("a", "gone-seen")]


async def test_what_was_seen_gone_once_and_then_in_its_place_begins_anew(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a")
    url = f"{site.base}/a"
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        departures.failed(url, missing(url))
        await settled(made, departures)
    async with desk(site, tmp_path) as made:
        made.now = NOW + 2 * DAY
        departures = made.departures()
        found = EntryState(
            site="site", url=url, verdict="article", slug="a", checked_at=NOW, run="r"
        )
        departures.recall({url: found}, {})
        departures.failed(url, missing(url))
        await settled(made, departures)
        assert told(made) == [("a", "gone-seen")]


async def test_a_mass_of_them_is_nobodys_end_and_loud_once_a_day(
    site: SmallSite, tmp_path: Path
) -> None:
    paths = [f"/{number}" for number in range(7)]
    await kept(site, tmp_path, *paths)
    loud = []
    for hours in (0, 1, 23, 25, 26):
        with Archive.open(tmp_path) as archive:
            memory = archive.memory("site")
        async with desk(site, tmp_path) as made:
            made.now = NOW + timedelta(hours=hours)
            departures = made.departures(gone_after=timedelta())
            departures.recall({}, memory)
            for path in paths:
                departures.failed(site.base + path, missing(site.base + path))
            await departures.settle(known=7)
            (note,) = made.events
            assert isinstance(note, Note)
            assert "mass-gone" in note.message
            loud.append(note.trouble)
    assert loud == [True, False, False, True, False]
    assert MASS_SAID in memory


def test_a_refusal_says_that_it_is_one() -> None:
    assert why_blocked(missing("u", 451)).startswith("blocked: ")
    assert why_blocked(missing("u", 500)) == "the server answered 500"


async def test_a_redirect_for_now_and_none_at_all_are_no_sighting(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a", "/b")
    site.pages["/a"] = Page(status=302, headers={"Location": "/new"})
    site.pages["/new"] = article("Story /a")
    url = f"{site.base}/a"
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        reading = await made.read("/a")
        assert departures.led_to(url, reading) == f"it redirects for now to {site.base}/new"
        assert await departures.move(url, reading) is None
        assert departures.led_to(f"{site.base}/b", reading) == ""
        departures.taken(url, reading, "it redirects")
        await settled(made, departures)
        assert told(made) == []


async def test_a_redirect_between_two_urls_of_one_article_is_nothing(
    site: SmallSite, tmp_path: Path
) -> None:
    await kept(site, tmp_path, "/a")
    site.pages["/p"] = article("Story /a", canonical="BASE/a")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/p"))
    site.pages["/p"] = Page(status=301, headers={"Location": "/a"})
    async with desk(site, tmp_path) as made:
        departures = made.departures()
        reading = await made.read("/p")
        assert departures.led_to(f"{site.base}/p", reading) == ""
        departures.taken(f"{site.base}/p", reading, "it redirects")
        await settled(made, departures)
        assert told(made) == []


def with_record(site: SmallSite, path: str, *, title: str, published: str) -> None:
    """Publish an article whose record gives it a slug of its publisher's own."""
    link = f'<link rel="alternate" type="application/json" href="{path}.json">'
    site.pages[path] = article(title, head=link)
    record = {
        "slug": "bridge", "title": title, "url": f"BASE{path}", "published_at": published,
        "updated_at": "2026-06-18T08:00:00Z", "body_md": f"Words of {title}.",
    }  # fmt: skip
    site.pages[f"{path}.json"] = Page(body=json.dumps(record), type="application/json")


@pytest.mark.parametrize(
    ("published", "status", "renamed"),
    [("2026-06-17T08:00:00Z", 404, True), ("2026-06-17T08:00:00Z", 410, True),
     ("2026-06-16T08:00:00Z", 404, False), ("2026-06-17T08:00:00Z", 503, False)],
)  # fmt: skip
async def test_what_bears_the_slug_and_date_of_one_that_is_missing_is_that_article(
    site: SmallSite, tmp_path: Path, published: str, status: int, renamed: bool
) -> None:
    with_record(site, "/a", title="A bridge", published="2026-06-17T08:00:00Z")
    async with desk(site, tmp_path) as made:
        await made.keep(await made.read("/a"))
    site.pages["/a"] = Page(status=status)
    with_record(site, "/b", title="The bridge is open", published=published)
    async with desk(site, tmp_path) as made:
        move = await made.departures().renamed(await made.read("/b"))
        assert (move is not None) is renamed
        if move is not None:
            assert (move.slug, move.start) == ("bridge", f"{site.base}/a")
            assert [each.status for each in move.evidence.payloads] == [status]
