"""Where a site's entries come from: lists before links, and links only as far as they lead."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from crawler.article.reading import NoArticle
from crawler.article.slugs import Slugs
from crawler.discovery.documents import Documents
from crawler.discovery.memory import Memory
from crawler.discovery.sources import Bounds, Sources
from crawler.discovery.traps import BARREN_PAGES
from crawler.events import Discovered, Event, Note
from crawler.facts import Facts, Link
from crawler.frontier import Entry, Frontier, Room
from crawler.robots import Robots
from crawler.site.discovery import A_PART, Discovery, Reach
from tests.crawler.fetching import NOW, fetching
from tests.crawler.small_site import Page as Answer
from tests.crawler.small_site import SmallSite

BASE = "http://site.example"
RULES = Robots.allow_all()


class Site:
    """A discovery with its frontier. Mutable: ``events``, what was said."""

    def __init__(
        self,
        base: str = BASE,
        *,
        follow: bool = True,
        depth: int = 5,
        links: int = 5000,
        pending: int = 100_000,
        size: int = 2**27,
        rate: float = 0.0,
        wanted: Callable[[str], bool] = lambda _: True,
        memory: Memory | None = None,
    ) -> None:
        self.base = base
        self.memory = memory or Memory.none()
        self.events: list[Event] = []
        self.frontier = Frontier(Room(size=size, links=pending))
        self.slugs = Slugs()
        reach = Reach(
            start=f"{base}/",
            follow=follow,
            page_depth=depth,
            links_per_page=links,
            pending_links=pending,
            rate=rate,
            in_site=lambda url: url.startswith(f"{base}/"),
            wanted=wanted,
        )
        self.discovery = Discovery(
            "site",
            reach,
            self.frontier,
            lambda: self.slugs,
            self.memory,
            report=self.events.append,
            clock=lambda: NOW,
        )

    @asynccontextmanager
    async def sources(self) -> AsyncIterator[Sources]:
        async def allowed(_url: str) -> bool:
            return True

        async with fetching(named=(self.base,), attempts=1) as fetcher:
            documents = Documents(
                "site",
                fetcher,
                self.memory,
                allowed=allowed,
                report=self.events.append,
                clock=lambda: NOW,
            )
            yield Sources(f"{self.base}/", documents, Bounds(sitemaps=9, depth=3))

    async def read_lists(self, start: NoArticle | None = None) -> None:
        async with self.sources() as sources:
            async for _ in self.discovery.lists(sources, RULES, start):
                pass

    def page(
        self, path: str, *anchors: str, links: tuple[Link, ...] = (), depth: int = 0, source: str
    ) -> NoArticle:
        url = self.base + path
        facts = Facts(
            source="html",
            extractor="x",
            anchors=tuple(self.base + each for each in anchors),
            links=links,
        )
        return NoArticle(
            entry=Entry(url=url, source=source, depth=depth), url=url, facts=facts, why=""
        )

    def waiting(self) -> list[str]:
        """Take everything that waits; return its paths in order."""
        found = []
        while (entry := self.frontier.take()) is not None:
            found.append(entry.url.removeprefix(self.base))
            self.frontier.settle(entry.url)
        return found

    @property
    def notes(self) -> list[str]:
        return [event.message for event in self.events if isinstance(event, Note)]


@pytest.fixture
async def server() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def feed_link(url: str, title: str = "") -> Link:
    kind = "application/rss+xml"
    return Link(rel="alternate", type=kind, url=url, title=title, declared_by="html")


class TestOrder:
    """Lists say more of a URL than a link does."""

    async def test_links_wait_until_every_list_was_read(self, server: SmallSite) -> None:
        server.pages["/sitemap.xml"] = Answer(
            body="<urlset><url><loc>BASE/a</loc><lastmod>2026-06-19</lastmod></url></urlset>",
            type="application/xml",
        )
        site = Site(server.base)
        site.discovery.page(site.page("/", "/b", "/a", source="scope"))
        assert site.waiting() == []
        await site.read_lists()
        first, second = site.frontier.take(), site.frontier.take()
        assert first is not None
        assert second is not None
        assert (first.source, first.lastmod) == ("sitemap", "2026-06-19")
        assert (second.source, second.url) == ("link", f"{server.base}/b")

    async def test_afterwards_they_go_straight_in(self, server: SmallSite) -> None:
        site = Site(server.base)
        await site.read_lists()
        site.discovery.page(site.page("/", "/b", source="scope"))
        assert site.waiting() == ["/b"]

    async def test_pages_that_llms_txt_names_wait_for_the_lists_and_texts_do_not(
        self, server: SmallSite
    ) -> None:
        site = Site(server.base)
        names = ("/page", "/text.md")
        site.discovery.listing([Entry(url=server.base + n, source="llms-txt") for n in names])
        assert site.frontier.waiting == 1
        await site.read_lists()
        assert site.waiting() == ["/page", "/text.md"]

    async def test_url_order_decides_who_of_a_list_gets_the_short_slug(self) -> None:
        site = Site(follow=False)
        urls = [f"{BASE}/2026/live", f"{BASE}/2025/live"]
        site.discovery.listing([Entry(url=url, source="sitemap") for url in urls])
        given = [site.slugs.assign(url, None)[0] for url in urls]
        assert given == ["2026~live", "live"]

    async def test_sitemaps_that_the_start_page_names_are_read(self, server: SmallSite) -> None:
        server.pages["/mine.xml"] = Answer(
            body="<urlset><url><loc>BASE/a</loc></url></urlset>", type="application/xml"
        )
        site = Site(server.base)
        link = Link(rel="sitemap", url=f"{server.base}/mine.xml", declared_by="html")
        await site.read_lists(site.page("/", links=(link,), source="scope"))
        assert site.waiting() == ["/a"]


class TestReach:
    """How far links are followed."""

    @pytest.mark.parametrize(("depth", "found"), [(0, ["/a"]), (4, ["/a"]), (5, []), (9, [])])
    async def test_pages_are_followed_to_their_depth(
        self, server: SmallSite, depth: int, found: list[str]
    ) -> None:
        site = Site(server.base)
        await site.read_lists()
        site.discovery.page(site.page("/p", "/a", depth=depth, source="link"))
        assert site.waiting() == found

    async def test_a_link_is_one_deeper_than_its_page(self, server: SmallSite) -> None:
        site = Site(server.base)
        await site.read_lists()
        site.discovery.page(site.page("/p", "/a", depth=2, source="link"))
        entry = site.frontier.take()
        assert entry is not None
        assert entry.depth == 3

    async def test_links_of_one_page_have_a_bound(self, server: SmallSite) -> None:
        site = Site(server.base, links=2)
        await site.read_lists()
        site.discovery.page(site.page("/", "/a", "/b", "/c", source="scope"))
        assert site.waiting() == ["/a", "/b"]

    async def test_only_what_is_wanted_and_inside_goes_in(self, server: SmallSite) -> None:
        site = Site(server.base, wanted=lambda url: "/no" not in url)
        await site.read_lists()
        site.discovery.page(site.page("/", "/yes", "/no", source="scope"))
        away = Entry(url="http://other.example/a", source="sitemap")
        site.discovery.listing([away, Entry(url=f"{server.base}/llms.txt", source="sitemap")])
        assert site.waiting() == ["/yes"]

    async def test_a_records_list_vouches_for_what_nobody_selected(self) -> None:
        site = Site(follow=False, wanted=lambda _: False)
        site.discovery.listing([Entry(url=f"{BASE}/a", source="records-file", named=True)])
        assert site.waiting() == ["/a"]

    async def test_an_article_alone_is_not_followed(self) -> None:
        site = Site(follow=False)
        site.discovery.page(site.page("/", "/a", source="scope"))
        assert site.waiting() == []

    async def test_nofollow_stops_plain_links(self, server: SmallSite) -> None:
        site = Site(server.base)
        await site.read_lists()
        facts = Facts(source="html", extractor="x", anchors=(f"{server.base}/a",), nofollow=True)
        url = f"{server.base}/p"
        site.discovery.page(NoArticle(entry=Entry(url=url), url=url, facts=facts, why=""))
        assert site.waiting() == []

    async def test_another_language_is_another_article(self, server: SmallSite) -> None:
        site = Site(server.base)
        await site.read_lists()
        link = Link(rel="alternate", url=f"{server.base}/fr/a", hreflang="fr", declared_by="html")
        facts = Facts(source="html", extractor="x", links=(link,))
        site.discovery.article(facts, f"{server.base}/a", Entry(url=f"{server.base}/a"))
        assert site.waiting() == ["/fr/a"]


class TestRoom:
    """Bounds on what waits: said once, and the rest goes on."""

    async def test_links_past_the_bound_are_dropped_and_lists_are_not(
        self, server: SmallSite
    ) -> None:
        server.list("/x", "/y", "/z")
        site = Site(server.base, pending=2)
        site.discovery.page(site.page("/", "/a", "/b", "/c", source="scope"))
        await site.read_lists()
        site.discovery.page(site.page("/p", "/d", "/e", source="link"))
        assert site.waiting() == ["/x", "/y", "/z", "/a", "/b"]
        (note,) = site.notes
        assert "2 links of pages wait" in note

    async def test_there_is_room_for_links_again_when_some_were_tried(
        self, server: SmallSite
    ) -> None:
        site = Site(server.base, pending=2)
        await site.read_lists()
        for path in ("/p", "/q"):
            links = [f"{path}/{number}" for number in range(3)]
            site.discovery.page(site.page(path, *links, source="link"))
            assert site.waiting() == links[:2]
        assert len(site.notes) == 1

    async def test_more_than_is_held_of_a_list_is_said_once(self) -> None:
        site = Site(follow=False, size=0)
        for name in "ab":
            site.discovery.listing([Entry(url=f"{BASE}/{name}", source="sitemap")])
        assert site.waiting() == []
        (note,) = site.notes
        assert "max_frontier" in note

    async def test_a_long_list_is_taken_in_whole_though_in_parts(self, server: SmallSite) -> None:
        paths = [f"/{number:05}" for number in range(2 * A_PART + 1)]
        server.list(*paths)
        site = Site(server.base)
        await site.read_lists()
        assert site.waiting() == paths
        told = [(e.count, e.new) for e in site.events if isinstance(e, Discovered)]
        assert told == [(len(paths), len(paths))]


class TestTraps:
    """Paths that lead nowhere."""

    async def test_a_pattern_of_barren_pages_is_dropped_and_said_once(
        self, server: SmallSite
    ) -> None:
        site = Site(server.base)
        await site.read_lists()
        for day in range(BARREN_PAGES + 5):
            site.discovery.page(site.page(f"/day/{day}", source="link"))
        (note,) = site.notes
        assert f"{server.base}/day/{BARREN_PAGES - 1}" in note
        site.discovery.page(site.page("/", "/day/900", "/a", source="scope"))
        assert site.waiting() == ["/a"]

    async def test_a_pattern_that_an_article_has_is_followed_on(self, server: SmallSite) -> None:
        site = Site(server.base)
        await site.read_lists()
        url = f"{server.base}/day/1"
        site.discovery.article(Facts(source="html", extractor="x"), url, Entry(url=url))
        for day in range(2, BARREN_PAGES + 5):
            site.discovery.page(site.page(f"/day/{day}", source="link"))
        site.discovery.page(site.page("/", "/day/900", source="scope"))
        assert site.waiting() == ["/day/900"]


class TestFeeds:
    """Which feeds are read."""

    async def asked(self, server: SmallSite, *, listed: bool) -> list[str]:
        if listed:
            server.list("/a")
        site = Site(server.base)
        await site.read_lists()
        own = feed_link(f"{server.base}/all.rss")
        comments = feed_link(f"{server.base}/comments/feed/", "Comments")
        tag = feed_link(f"{server.base}/tag.rss")
        site.discovery.page(site.page("/", links=(own, comments), source="scope"))
        site.discovery.page(site.page("/tag", links=(tag,), source="link"))
        server.asked.clear()
        async with site.sources() as sources:
            async for _ in site.discovery.feeds(sources):
                pass
        return server.asked

    async def test_beside_a_sitemap_the_scopes_own_is_enough(self, server: SmallSite) -> None:
        assert await self.asked(server, listed=True) == ["/all.rss"]

    async def test_without_one_every_feed_is_read(self, server: SmallSite) -> None:
        asked = await self.asked(server, listed=False)
        assert asked == ["/all.rss", "/comments/feed/", "/tag.rss"]

    async def test_feeds_that_are_named_meanwhile_are_read_too(self, server: SmallSite) -> None:
        entry = "<entry><id>x</id><title>T</title><link href='BASE/a'/></entry>"
        body = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>F</title>{entry}</feed>"
        server.pages |= {p: Answer(body=body, type="application/atom+xml") for p in ("/1", "/2")}
        site = Site(server.base)
        await site.read_lists()
        first, second = feed_link(f"{server.base}/1"), feed_link(f"{server.base}/2")
        site.discovery.page(site.page("/", links=(first,), source="scope"))
        server.asked.clear()
        async with site.sources() as sources:
            async for _ in site.discovery.feeds(sources):
                site.discovery.page(site.page("/p", links=(second,), source="link"))
        assert server.asked == ["/1", "/2"]


class TestWords:
    """What the operator is told."""

    async def test_how_long_it_takes_is_said_before_it_begins(self, server: SmallSite) -> None:
        server.list(*(f"/{number}" for number in range(9)))
        site = Site(server.base, rate=2.0)
        await site.read_lists()
        (note,) = site.notes
        assert note.startswith("9 articles listed: at most 2 requests/s")

    async def test_each_list_is_told_with_what_was_new_in_it(self) -> None:
        site = Site(follow=False)
        for _ in range(2):
            site.discovery.listing([Entry(url=f"{BASE}/a", source="sitemap")])
        told = [(e.source, e.count, e.new) for e in site.events if isinstance(e, Discovered)]
        assert told == [("sitemap", 1, 1), ("sitemap", 1, 0)]
