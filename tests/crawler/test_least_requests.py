"""What a later run asks of a site that an earlier one discovered: as little as keeps it true."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from msgspec import structs

from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer
from crawler.discovery.memory import KEY, Remembered
from crawler.events import Note
from crawler.host_memory import MIRROR, NOT_BEFORE
from storage.archive import Archive
from storage.writer import Writer
from tests.crawler.runs import Ran, history, run
from tests.crawler.small_site import Page, SmallSite, article

XML = "application/xml"
#: The newsroom's lists, where nothing but them is asked for.
LISTS = ["/sitemap.xml", "/sitemap-1.xml", "/feed.atom"]


@pytest.fixture
async def site() -> AsyncIterator[NewsroomServer]:
    async with NewsroomServer(lambda base: Newsroom.create(base, 12)) as server:
        yield server


@pytest.fixture
async def small() -> AsyncIterator[SmallSite]:
    async with SmallSite() as server:
        yield server


async def again(
    site: NewsroomServer,
    root: Path,
    *,
    verify: Literal["all", "due"] = "due",
    include: tuple[str, ...] = (),
) -> Ran:
    """Run once more over ``site``, of whose requests only this run's are left."""
    site.requests.clear()
    return await run(f"{site.base}/", root, verify=verify, include=include)


async def edited(root: Path, change: Callable[[Remembered], Remembered]) -> None:
    """Change what the one site in the mirror at ``root`` remembers of its discovery."""
    with Archive.open(root) as archive:
        (name,) = (each.name for each in archive.sites())
        known = msgspec.json.decode(archive.memory(name)[KEY], type=Remembered)
    async with Writer(root) as writer:
        text = msgspec.json.encode(change(known)).decode()
        writer.remember(name, KEY, text)


def notes(ran: Ran) -> list[str]:
    return [event.message for event in ran.events if isinstance(event, Note)]


def older(known: Remembered, age: timedelta) -> Remembered:
    """Let everything in ``known`` be ``age`` older."""
    surveys = {u: structs.replace(s, at=s.at - age) for u, s in known.surveys.items()}
    documents = {
        url: structs.replace(each, fetched_at=each.fetched_at - age, asked_at=each.asked_at - age)
        for url, each in known.documents.items()
    }
    absent = {url: at - age for url, at in known.absent.items()}
    return structs.replace(known, surveys=surveys, documents=documents, absent=absent)


class TestUnchanged:
    """A site that is as it was."""

    async def test_only_sitemaps_and_the_newest_feed_are_asked_for(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        for _ in range(2):
            ran = await again(site, tmp_path)
            assert site.paths() == LISTS
            assert {hit.status for hit in site.requests} == {304}
            assert (ran.summary.unchanged, ran.summary.snapshots) == (12, 0)

    async def test_robots_txt_is_asked_for_again_after_a_day(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        async with Writer(tmp_path) as writer:
            writer.remember(MIRROR, f"robots {site.base}", "")
        await again(site, tmp_path)
        assert site.paths() == ["/robots.txt", *LISTS]

    async def test_a_run_that_verifies_everything_looks_everywhere(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        first = set(site.paths(200))
        await again(site, tmp_path, verify="all")
        assert {*site.paths(200), *site.paths(304)} == first

    async def test_so_does_one_that_comes_late(self, site: NewsroomServer, tmp_path: Path) -> None:
        await run(f"{site.base}/", tmp_path)
        await edited(tmp_path, lambda known: older(known, timedelta(days=31)))
        await again(site, tmp_path)
        assert {"/", "/llms.txt", "/about/"} <= set(site.paths())

    async def test_and_one_whose_clock_was_set_back(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        await edited(tmp_path, lambda known: older(known, -timedelta(hours=1)))
        await again(site, tmp_path)
        assert {"/", "/llms.txt"} <= set(site.paths())

    async def test_and_one_with_another_selection(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        await again(site, tmp_path, include=("*/news/*",))
        assert {"/", "/llms.txt"} <= set(site.paths())

    async def test_a_run_cut_short_has_not_discovered(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path, max_articles=3)
        await again(site, tmp_path)
        assert "/" in site.paths()
        assert len(history(tmp_path)) == 12

    async def test_a_sitemap_without_validators_is_read_whole(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        site.validators = "none"
        await run(f"{site.base}/", tmp_path)
        await again(site, tmp_path)
        assert site.paths() == LISTS
        assert {hit.status for hit in site.requests} == {200}


class TestLeads:
    """A start URL that leads to another host."""

    async def test_it_is_not_asked_where_it_leads_every_time(
        self, small: SmallSite, site: NewsroomServer, tmp_path: Path
    ) -> None:
        small.pages["/"] = Page(status=301, headers={"Location": f"{site.base}/"})
        near = ("127.0.0.0/8",)
        await run(f"{small.base}/", tmp_path, allow_address=near)
        small.asked.clear()
        site.requests.clear()
        ran = await run(f"{small.base}/", tmp_path, verify="due", allow_address=near)
        assert small.asked == []
        assert site.paths() == LISTS
        assert ran.summary.unchanged == 12


class TestPages:
    """What sitemaps name and is no article."""

    async def test_it_is_not_looked_at_again_until_its_date_moves(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        small.pages |= {"/": Page(body="<p>front"), "/a": article("A"), "/tag": Page(body="<p>t")}
        small.pages["/old"] = Page(status=301, headers={"Location": "BASE/a"})
        self.list(small, "2026-01-02")
        await run(f"{small.base}/", tmp_path, probe=False)
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert not {"/tag", "/old"} & set(small.asked)
        self.list(small, "2026-01-03")
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert "/tag" in small.asked

    def list(self, small: SmallSite, moved: str) -> None:
        dated = f"<url><loc>BASE/tag</loc><lastmod>{moved}</lastmod></url>"
        urls = "".join(f"<url><loc>BASE/{name}</loc></url>" for name in ("a", "old"))
        small.pages["/sitemap.xml"] = Page(body=f"<urlset>{urls}{dated}</urlset>", type=XML)


class TestListedPages:
    """Pages that lists name, of a site whose sitemaps do not name nearly all that it has."""

    @staticmethod
    def publish(small: SmallSite, moved: str = "2020-02-02") -> None:
        """Publish articles of which a sitemap names some, with pages; dates are the articles'."""
        old = "2020-02-02"
        small.pages |= {f"/{n}": article(f"Story {n}", modified=old) for n in range(4)}
        links = "".join(f"<a href='/{n}'>{n}</a>" for n in range(4))
        small.pages |= {"/": Page(body=links), "/tag": Page(body="<p>tag"), "/new": Page(body="n")}
        dates = {"/0": old, "/1": old, "/tag": old, "/new": moved, "/undated": ""}
        small.pages["/undated"] = Page(body="<p>who knows")
        urls = "".join(
            f"<url><loc>BASE{path}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</url>"
            for path, date in dates.items()
        )
        small.pages["/sitemap.xml"] = Page(body=f"<urlset>{urls}</urlset>", type=XML)

    async def test_a_date_that_is_believed_spares_a_page_until_it_moves(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        self.publish(small)
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        self.publish(small, moved="2020-02-03")
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert "/tag" not in small.asked
        assert {"/", "/new", "/undated"} <= set(small.asked)

    async def test_a_run_that_verifies_everything_looks_at_it(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        self.publish(small)
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="all", probe=False)
        assert "/tag" in small.asked

    async def test_one_that_a_feed_names_is_asked_for_once_in_the_time_of_verification(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        link = '<link rel="alternate" type="application/atom+xml" href="/feed">'
        small.pages |= {"/": Page(body=f"<html><head>{link}</head><p>front"), "/a": article("A")}
        small.pages["/page"] = Page(body="<p>page")
        entries = "".join(
            f"<entry><id>{path}</id><title>T</title><link href='BASE{path}'/></entry>"
            for path in ("/a", "/page")
        )
        feed = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{entries}</feed>"
        small.pages["/feed"] = Page(body=feed, type="application/atom+xml")
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert "/a" in small.asked
        assert "/page" not in small.asked
        with Archive.open(tmp_path) as archive:
            (site,) = archive.sites()
            states = archive.entries(site.name).values()
        async with Writer(tmp_path) as writer:
            for each in states:
                then = each.checked_at - timedelta(days=31)
                writer.note_entry(structs.replace(each, checked_at=then))
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert "/page" in small.asked


class TestChanged:
    """What happens on the site is seen all the same."""

    async def test_a_new_article_costs_its_formats_and_the_lists_that_name_it(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        known = set(site.newsroom.stories)
        site.newsroom = site.newsroom.add()
        (slug,) = set(site.newsroom.stories) - known
        ran = await again(site, tmp_path)
        assert ran.summary.snapshots == 1
        own = [path for path in site.paths() if path.startswith(f"/news/{slug}")]
        assert len(own) == 4
        assert {*site.paths(200), *site.paths(304)} - set(own) == set(LISTS)

    async def test_an_edit_is_read_though_the_lists_are_asked_for_conditionally(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        slug = site.newsroom.records[3].slug
        site.newsroom = site.newsroom.edit(slug)
        ran = await again(site, tmp_path)
        assert ran.summary.snapshots == 1
        assert len(history(tmp_path, slug)) == 2
        await again(site, tmp_path)
        assert site.paths() == LISTS

    async def test_an_article_that_only_the_feed_names_is_found(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        link = '<link rel="alternate" type="application/atom+xml" href="/feed">'
        small.pages |= {"/": Page(body=f"<html><head>{link}</head><p>front"), "/a": article("A")}
        small.list("/a")
        self.feed(small, "/a")
        await run(f"{small.base}/", tmp_path, probe=False)
        small.pages["/b"] = article("B")
        self.feed(small, "/b", "/a")
        small.asked.clear()
        ran = await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert ran.summary.snapshots == 1
        assert "/" not in small.asked

    def feed(self, small: SmallSite, *paths: str) -> None:
        entries = "".join(
            f"<entry><id>{path}</id><title>T</title><link href='BASE{path}'/></entry>"
            for path in paths
        )
        body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{entries}</feed>"
        small.pages["/feed"] = Page(body=body, type="application/atom+xml")

    async def test_a_sitemap_that_names_half_loses_nothing_and_the_next_run_looks_everywhere(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        names = [f"/{number}" for number in range(6)]
        small.pages |= {name: article(f"Story {name}") for name in names}
        small.pages["/"] = Page(body="<a href='/1'>one</a>")
        small.list(*names)
        await run(f"{small.base}/", tmp_path, probe=False)
        small.list(*names[:3])
        ran = await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert any("name 3 of 6 known articles" in each for each in notes(ran))
        assert len(history(tmp_path)) == 6
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert "/" in small.asked

    async def test_a_sitemap_that_can_not_be_read_once_proves_nothing(
        self, site: NewsroomServer, tmp_path: Path
    ) -> None:
        await run(f"{site.base}/", tmp_path)
        site.fault("/sitemap.xml", Fault(status=500, times=1))
        ran = await again(site, tmp_path)
        assert ran.failures.keys() == {f"{site.base}/sitemap.xml"}
        await again(site, tmp_path)
        assert site.paths() == LISTS


class TestIndexDates:
    """Of many sitemaps that their index calls unchanged, a few are asked for in turn."""

    @staticmethod
    def parts(small: SmallSite, *numbers: int) -> None:
        """Publish an index of sitemaps with an article each, and the pages of ``numbers``."""
        dated = "<sitemap><loc>BASE/{}.xml</loc><lastmod>2026-01-02</lastmod></sitemap>"
        index = "".join(dated.format(number) for number in range(6))
        small.pages |= {f"/{number}": article(f"Story {number}") for number in numbers}
        small.pages |= {
            "/": Page(body="<p>front"),
            "/sitemap.xml": Page(body=f"<sitemapindex>{index}</sitemapindex>", type=XML),
        }
        for number in range(6):
            TestIndexDates.part(small, number, number)

    @staticmethod
    def part(small: SmallSite, number: int, *names: int) -> None:
        urls = "".join(f"<url><loc>BASE/{name}</loc></url>" for name in names)
        body = f"<urlset>{urls}</urlset>"
        small.pages[f"/{number}.xml"] = Page(body=body, type=XML, headers={"ETag": f'"{names}"'})

    @staticmethod
    async def asked(small: SmallSite, root: Path) -> list[str]:
        """Run, and return which sitemaps of the index were asked for."""
        small.asked.clear()
        await run(f"{small.base}/", root, verify="due", probe=False)
        return sorted(each for each in small.asked if each.endswith(".xml") and each[1].isdigit())

    async def test_each_has_its_turn(self, small: SmallSite, tmp_path: Path) -> None:
        self.parts(small, *range(6))
        await run(f"{small.base}/", tmp_path, probe=False)
        turns = [await self.asked(small, tmp_path) for _ in range(4)]
        assert [len(turn) for turn in turns] == [2, 2, 2, 2]
        assert len({each for turn in turns[:3] for each in turn}) == 6
        assert turns[3] == turns[0]

    async def test_after_a_day_all_are_asked_for(self, small: SmallSite, tmp_path: Path) -> None:
        self.parts(small, *range(6))
        await run(f"{small.base}/", tmp_path, probe=False)
        await edited(tmp_path, lambda known: older(known, timedelta(hours=25)))
        assert len(await self.asked(small, tmp_path)) == 6

    async def test_one_that_changed_under_the_same_date_ends_belief_in_all_of_them(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        self.parts(small, *range(8))
        await run(f"{small.base}/", tmp_path, probe=False)
        self.part(small, 0, 0, 6)
        self.part(small, 5, 5, 7)
        small.asked.clear()
        ran = await run(f"{small.base}/", tmp_path, verify="due", probe=False)
        assert {f"/{number}.xml" for number in range(6)} <= set(small.asked)
        assert any("its date in the index did not" in each for each in notes(ran))
        assert len(history(tmp_path)) == 8
        assert len(await self.asked(small, tmp_path)) == 6

    async def test_a_date_that_moved_is_followed_at_once(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        self.parts(small, *range(7))
        await run(f"{small.base}/", tmp_path, probe=False)
        index = small.pages["/sitemap.xml"]
        assert isinstance(index, Page)
        head, five = index.body.split("BASE/5.xml")
        moved = f"{head}BASE/5.xml{five.replace('2026-01-02', '2026-01-03')}"
        small.pages["/sitemap.xml"] = structs.replace(index, body=moved)
        self.part(small, 5, 5, 6)
        assert await self.asked(small, tmp_path) == ["/0.xml", "/1.xml", "/5.xml"]
        assert len(history(tmp_path)) == 7


class TestNegativeAnswers:
    """Where there was nothing, nothing is looked for until it is time again."""

    async def test_guessed_places_are_left_alone(self, small: SmallSite, tmp_path: Path) -> None:
        small.pages |= {"/": Page(body="<a href='/a'>a</a>"), "/a": article("A")}
        await run(f"{small.base}/", tmp_path)
        assert {"/llms.txt", "/sitemap.xml", "/feed/", "/a.md"} <= set(small.asked)
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due")
        assert sorted(small.asked) == ["/", "/a"]

    async def test_twins_that_the_site_does_not_have_are_not_looked_for(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        small.pages |= {"/": Page(body="<a href='/a'>a</a>"), "/a": article("A")}
        await run(f"{small.base}/", tmp_path)
        small.pages |= {"/": Page(body="<a href='/b'>b</a>"), "/b": article("B")}
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due")
        assert len(history(tmp_path)) == 2
        assert not [path for path in small.asked if path.startswith("/b.")]

    async def test_a_server_that_was_unable_is_asked_again(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        small.pages |= {"/": Page(body="<a href='/a'>a</a>"), "/a": article("A")}
        small.pages |= {"/llms.txt": Page(status=500), "/a.md": Page(status=500)}
        await run(f"{small.base}/", tmp_path)
        small.pages["/b"] = article("B")
        small.pages["/"] = Page(body="<a href='/b'>b</a>")
        small.asked.clear()
        await run(f"{small.base}/", tmp_path, verify="due")
        assert {"/llms.txt", "/b.md"} <= set(small.asked)


class TestHosts:
    """What a host asked for outlives the run."""

    async def test_a_host_that_asked_to_be_left_alone_is_left_alone_by_the_next_run(
        self, small: SmallSite, tmp_path: Path
    ) -> None:
        later = {"Retry-After": "7200"}
        small.pages |= {"/": article("A"), "/robots.txt": Page(status=404)}
        await run(f"{small.base}/", tmp_path)
        small.pages["/"] = Page(status=503, headers=later)
        await run(f"{small.base}/", tmp_path)
        small.asked.clear()
        ran = await run(f"{small.base}/", tmp_path)
        assert small.asked == []
        assert ran.failures.keys() == {f"{small.base}/"}

    async def test_its_time_over_it_is_asked_again(self, small: SmallSite, tmp_path: Path) -> None:
        small.pages["/"] = article("A")
        host = small.base.removeprefix("http://")
        over = {host: datetime.now(UTC) - timedelta(seconds=1)}
        async with Writer(tmp_path) as writer:
            writer.remember(MIRROR, NOT_BEFORE, msgspec.json.encode(over).decode())
        await run(f"{small.base}/", tmp_path)
        assert "/" in small.asked
        with Archive.open(tmp_path) as archive:
            assert NOT_BEFORE not in archive.memory(MIRROR)
