"""Discovery documents as a site serves them: which are read, how far, and what is said."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest

from crawler.discovery.documents import Documents
from crawler.discovery.memory import Memory
from crawler.discovery.sources import FEED_PLACES, Bounds, Sources
from crawler.discovery.spec import ListSpec
from crawler.discovery.table import LISTS
from crawler.events import Event, Failed, Note
from crawler.facts import Malformed
from crawler.frontier import Entry
from crawler.robots import Robots
from crawler.transport.faults import HostResting
from tests.crawler.fetching import NOW, fetching
from tests.crawler.raw_server import answer, raw_server
from tests.crawler.small_site import Page, SmallSite

XML = "application/xml"
AGENT = "slugline"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def urlset(*paths: str, lastmod: str = "") -> Page:
    mark = f"<lastmod>{lastmod}</lastmod>" if lastmod else ""
    urls = "".join(f"<url><loc>BASE{path}</loc>{mark}</url>" for path in paths)
    return Page(body=f"<urlset>{urls}</urlset>", type=XML)


def index(*paths: str) -> Page:
    maps = "".join(f"<sitemap><loc>BASE{path}</loc></sitemap>" for path in paths)
    return Page(body=f"<sitemapindex>{maps}</sitemapindex>", type=XML)


def feed(*paths: str, following: str = "", rel: str = "next") -> Page:
    more = f'<link rel="{rel}" href="BASE{following}"/>' if following else ""
    entries = "".join(
        f'<entry><title>T</title><link href="BASE{path}"/><id>BASE{path}</id></entry>'
        for path in paths
    )
    return Page(
        body=f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{more}{entries}</feed>',
        type="application/atom+xml",
    )


class Read:
    """What reading gave: entries by path in order, and what was said."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.entries: list[Entry] = []
        self.events: list[Event] = []

    @property
    def paths(self) -> list[str]:
        return [entry.url.removeprefix(self.base) for entry in self.entries]

    @property
    def failed(self) -> dict[str, str]:
        return {
            e.url.removeprefix(self.base): e.reason for e in self.events if isinstance(e, Failed)
        }

    @property
    def notes(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Note)]


async def read(
    site: SmallSite,
    *,
    scope: str = "/",
    robots: str = "",
    named: tuple[str, ...] = (),
    feeds: tuple[str, ...] | None = None,
    guess: bool = False,
    forbidden: frozenset[str] = frozenset(),
    sitemaps: int = 50,
    depth: int = 3,
    kinds: frozenset[str] = Bounds(sitemaps=0, depth=0).kinds,
    **values: Any,
) -> Read:
    found = Read(site.base)

    async def allowed(url: str) -> bool:
        return url.removeprefix(site.base) not in forbidden

    async with fetching(named=(site.base,), attempts=1, **values) as fetcher:
        fetched = Documents(
            "site",
            fetcher,
            Memory.none(),
            allowed=allowed,
            report=found.events.append,
            clock=lambda: NOW,
        )
        bounds = Bounds(sitemaps=sitemaps, depth=depth, kinds=kinds)
        sources = Sources(site.base + scope, fetched, bounds)
        documents: AsyncIterator[list[Entry]]
        if feeds is not None:
            documents = sources.feeds([site.base + path for path in feeds], guess=guess)
        else:
            rules = Robots.parse(robots.encode(), AGENT)
            documents = sources.listed(rules, [site.base + path for path in named])
        async for entries in documents:
            found.entries += entries
    return found


class TestSitemaps:
    """Lists of the whole site."""

    async def test_those_of_robots_txt_the_start_page_and_the_usual_place_are_read(
        self, site: SmallSite
    ) -> None:
        site.pages |= {"/r.xml": urlset("/r"), "/p.xml": urlset("/p"), "/sitemap.xml": urlset("/s")}
        found = await read(site, robots="Sitemap: /r.xml", named=("/p.xml",))
        assert found.paths == ["/r", "/p", "/s"]

    async def test_what_robots_txt_names_and_is_no_url_is_left_out(self, site: SmallSite) -> None:
        site.pages["/r.xml"] = urlset("/r")
        robots = "Sitemap: javascript:0\nSitemap: http://[::1\nSitemap: ftp://a/\nSitemap: /r.xml"
        assert (await read(site, robots=robots)).paths == ["/r"]

    async def test_a_lastmod_stands_as_it_was_written(self, site: SmallSite) -> None:
        site.pages["/sitemap.xml"] = urlset("/a", lastmod="2026-06-19T08:00+02:00")
        (entry,) = (await read(site)).entries
        assert (entry.source, entry.lastmod) == ("sitemap", "2026-06-19T08:00+02:00")

    async def test_an_index_is_followed_to_its_depth_and_no_deeper(self, site: SmallSite) -> None:
        site.pages["/sitemap.xml"] = index("/1.xml")
        site.pages |= {f"/{level}.xml": index(f"/{level + 1}.xml") for level in range(1, 4)}
        site.pages |= {"/2.xml": index("/3.xml"), "/3.xml": urlset("/deep")}
        assert (await read(site, depth=3)).paths == ["/deep"]
        site.asked.clear()
        assert (await read(site, depth=2)).paths == []
        assert "/2.xml" in site.asked
        assert "/3.xml" not in site.asked

    async def test_an_index_that_names_itself_is_read_once(self, site: SmallSite) -> None:
        site.pages["/sitemap.xml"] = index("/sitemap.xml", "/1.xml", "/1.xml")
        site.pages["/1.xml"] = urlset("/a")
        assert (await read(site)).paths == ["/a"]
        assert [site.asked.count(path) for path in ("/sitemap.xml", "/1.xml")] == [1, 1]

    async def test_their_number_has_a_bound(self, site: SmallSite) -> None:
        names = [f"/{number}.xml" for number in range(20)]
        site.pages |= {"/sitemap.xml": index(*names)} | {n: urlset(n) for n in names}
        found = await read(site, sitemaps=5)
        assert len([path for path in site.asked if path.endswith(".xml")]) <= 5
        assert found.paths == names[: len(found.paths)]
        (reason,) = found.failed.values()
        assert f"left out {20 - len(found.paths)} sitemaps" in reason

    async def test_an_index_too_deep_is_told(self, site: SmallSite) -> None:
        site.pages["/sitemap.xml"] = index("/1.xml", "/sitemap.xml")
        site.pages |= {"/1.xml": index("/2.xml", "/sitemap.xml"), "/2.xml": urlset("/deep")}
        found = await read(site, depth=1)
        assert found.failed.keys() == {"/2.xml"}
        assert "left out 1 sitemap," in found.failed["/2.xml"]

    async def test_one_in_a_gzip_file_is_read(self) -> None:
        async with raw_server() as site:
            text = f"<urlset><url><loc>{site.url('/a')}</loc></url></urlset>"
            body = gzip.compress(text.encode())
            site.routes["/s.xml.gz"] = answer(body=body, headers=("Content-Type: x/gzip",))
            small = SmallSite()
            small.base = site.url("")
            found = await read(small, robots="Sitemap: /s.xml.gz")
        assert found.paths == ["/a"]

    async def test_one_that_robots_txt_forbids_is_not_asked_for(self, site: SmallSite) -> None:
        site.pages["/sitemap.xml"] = urlset("/a")
        found = await read(site, forbidden=frozenset({"/sitemap.xml"}))
        assert found.paths == []
        assert "/sitemap.xml" not in site.asked

    async def test_one_in_the_usual_place_that_is_not_there_is_nothing(
        self, site: SmallSite
    ) -> None:
        assert (await read(site)).events == []

    @pytest.mark.parametrize("status", [404, 410])
    async def test_one_that_is_named_and_gone_is_a_note(self, site: SmallSite, status: int) -> None:
        site.pages["/r.xml"] = Page(status=status)
        found = await read(site, robots="Sitemap: /r.xml")
        assert found.failed == {}
        assert str(status) in found.notes[0]

    @pytest.mark.parametrize("page", [Page(status=500), Page(body="<html>oops")])
    async def test_one_that_is_named_and_unreadable_fails_and_the_others_are_read(
        self, site: SmallSite, page: Page
    ) -> None:
        site.pages |= {"/r.xml": page, "/sitemap.xml": urlset("/a")}
        found = await read(site, robots="Sitemap: /r.xml")
        assert found.failed.keys() == {"/r.xml"}
        assert found.paths == ["/a"]

    async def test_one_that_is_broken_half_way_gives_its_beginning_and_a_note(
        self, site: SmallSite
    ) -> None:
        body = "<urlset><url><loc>BASE/a</loc></url><url><loc>BASE/b"
        site.pages["/sitemap.xml"] = Page(body=body, type=XML)
        found = await read(site)
        assert found.paths == ["/a"]
        assert found.notes

    async def test_a_section_has_lists_of_its_own_and_its_hosts(self, site: SmallSite) -> None:
        site.pages |= {"/news/sitemap.xml": urlset("/news/a"), "/sitemap.xml": urlset("/b")}
        assert (await read(site, scope="/news/")).paths == ["/news/a", "/b"]

    async def test_a_host_that_rests_ends_the_reading(self, site: SmallSite) -> None:
        site.pages["/llms.txt"] = Page(status=503)
        with pytest.raises(HostResting):
            await read(site, strikes=1)


class TestKinds:
    """Only the kinds of list that the user wants are read."""

    @pytest.mark.parametrize(
        ("kind", "asked"),
        [("llms-txt", ["/llms.txt"]), ("sitemap", ["/sitemap.xml"]), ("feed", []), ("links", [])],
    )
    async def test_lists_of_the_whole_site(
        self, site: SmallSite, kind: str, asked: list[str]
    ) -> None:
        await read(site, kinds=frozenset({kind}))
        assert site.asked == asked

    async def test_feeds(self, site: SmallSite) -> None:
        site.pages["/f"] = feed("/a")
        assert (await read(site, feeds=("/f",), kinds=frozenset({"sitemap"}))).paths == []
        assert (await read(site, feeds=("/f",), kinds=frozenset({"feed"}))).paths == ["/a"]


class TestPlainLists:
    """Any list in the table is read at its place, where the user wants its kind."""

    @pytest.fixture(autouse=True)
    def spec(self) -> Iterator[None]:
        LISTS["names"] = ListSpec(kind="names", place="names.csv", parse=self.parse)
        yield
        del LISTS["names"]

    @staticmethod
    def parse(body: bytes, url: str) -> Iterable[str]:
        if not body.startswith(b"name\n"):
            raise Malformed("it has no heading")
        return [url.replace("names.csv", name) for name in body.decode().split()[1:]]

    async def test_its_entries_bear_its_name(self, site: SmallSite) -> None:
        site.pages["/names.csv"] = Page(body="name\na\nb\n", type="text/csv")
        found = await read(site, kinds=frozenset({"names"}))
        assert (found.paths, {each.source for each in found.entries}) == (["/a", "/b"], {"names"})
        assert site.asked == ["/names.csv"]
        assert (await read(site, kinds=frozenset({"llms-txt"}))).paths == []

    async def test_one_that_cannot_be_read_is_said_by_its_file(self, site: SmallSite) -> None:
        site.pages["/names.csv"] = Page(body="a,b", type="text/csv")
        found = await read(site, kinds=frozenset({"names"}))
        assert found.paths == []
        (said,) = found.notes
        assert "names.csv is unreadable: it has no heading" in said


class TestLlmsTxt:
    """The list for machines that read text."""

    async def test_its_links_are_entries_each_once(self, site: SmallSite) -> None:
        body = "# Site\n\n- [A](/a.md)\n- [B](/b)\n- [A again](/a.md)\n"
        site.pages["/llms.txt"] = Page(body=body, type="text/plain")
        found = await read(site)
        assert found.paths == ["/a.md", "/b"]
        assert {entry.source for entry in found.entries} == {"llms-txt"}

    async def test_the_scopes_own_is_read_before_the_hosts(self, site: SmallSite) -> None:
        page = Page(body="- [A](/news/a)\n", type="text/plain")
        site.pages |= {"/news/llms.txt": page, "/llms.txt": page}
        await read(site, scope="/news/")
        assert "/llms.txt" not in site.asked

    async def test_a_page_that_says_not_found_under_its_name_is_none(self, site: SmallSite) -> None:
        site.pages["/llms.txt"] = Page(body='<a href="/x">[A](/x)</a>', type="text/html")
        assert (await read(site)).paths == []


class TestFeeds:
    """The newest articles, and older ones by paging."""

    async def test_pages_of_a_feed_follow_each_other(self, site: SmallSite) -> None:
        site.pages |= {"/f": feed("/a", following="/f2"), "/f2": feed("/b", following="/f3")}
        site.pages["/f3"] = feed("/c")
        found = await read(site, feeds=("/f",))
        assert found.paths == ["/a", "/b", "/c"]
        assert {entry.source for entry in found.entries} == {"feed"}

    async def test_archives_of_a_feed_follow_each_other(self, site: SmallSite) -> None:
        site.pages["/f"] = feed("/b", following="/2025", rel="prev-archive")
        site.pages["/2025"] = feed("/a")
        assert (await read(site, feeds=("/f",))).paths == ["/b", "/a"]

    async def test_a_feed_whose_pages_go_round_ends(self, site: SmallSite) -> None:
        site.pages |= {"/f": feed("/a", following="/f2"), "/f2": feed("/b", following="/f")}
        assert (await read(site, feeds=("/f",))).paths == ["/a", "/b"]

    async def test_the_first_of_the_usual_places_that_has_one_is_enough(
        self, site: SmallSite
    ) -> None:
        site.pages |= {f"/{place}": feed(f"/{place}-entry") for place in FEED_PLACES[1:3]}
        found = await read(site, feeds=(), guess=True)
        assert found.paths == [f"/{FEED_PLACES[1]}-entry"]
        assert site.asked == [f"/{place}" for place in FEED_PLACES[:2]]
        assert found.events == []

    async def test_places_are_not_guessed_where_a_feed_is_named(self, site: SmallSite) -> None:
        site.pages["/feed.xml"] = feed("/a")
        found = await read(site, feeds=("/gone",), guess=True)
        assert found.paths == []
        assert site.asked == ["/gone"]

    async def test_a_named_feed_that_can_not_be_read_fails(self, site: SmallSite) -> None:
        site.pages["/f"] = Page(body="<html><p>no feed")
        assert (await read(site, feeds=("/f",))).failed.keys() == {"/f"}
