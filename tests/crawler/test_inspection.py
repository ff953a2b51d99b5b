"""Looking without keeping: a site, an article, and what is none of them."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import structs

from crawler.config.settings import Config, Settings
from crawler.demo.newsroom import Newsroom
from crawler.demo.server import Fault, NewsroomServer
from crawler.inspection import TRIES, look
from tests.crawler.small_site import Page, SmallSite, article

SETTINGS: Settings = Config().settings().changed(rate=0, attempts=1)


async def test_a_site_is_looked_at_with_its_lists_and_one_article() -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 5)) as server:
        found = await look(f"{server.base}/", SETTINGS)
        newest = max(server.newsroom.records, key=lambda each: each.updated_at or _NEVER)
        assert (found.what, found.robots.allowed, found.notes) == ("site", True, ())
        kinds = {each.kind: each for each in found.sources}
        assert kinds.keys() == {"llms-txt", "sitemap", "feed"}
        assert (kinds["sitemap"].entries, kinds["sitemap"].dated) == (5, 5)
        assert kinds["sitemap"].url.startswith(f"{server.base}/sitemap")
        assert kinds["feed"].url == f"{server.base}/feed.atom"
        assert found.robots.sitemaps == (f"{server.base}/sitemap.xml",)
        assert found.article is not None
        assert found.article.url == newest.url
        assert found.requests == len(server.requests)


_NEVER = datetime(1, 1, 1, tzinfo=UTC)


async def test_an_article_is_shown_as_it_would_be_kept() -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 3)) as server:
        record = server.newsroom.records[0]
        found = await look(record.url, SETTINGS)
    assert (found.what, found.sources) == ("article", ())
    assert found.feeds == (f"{server.base}/feed.atom",)
    shown = found.article
    assert shown is not None
    assert (shown.slug, shown.title) == (record.slug, record.title)
    assert shown.key.updated_at == record.updated_at
    assert [each.format for each in shown.formats] == ["html", "markdown", "text", "jsonld"]
    assert all(each.etag and not each.why for each in shown.formats)
    assert shown.disagreements == ()
    by_format = {each.format: each.declared_by for each in shown.alternates if each.format}
    assert "html" in by_format["markdown"]
    assert set(shown.canonical.values()) == {record.url}


async def test_disagreeing_formats_are_shown_side_by_side() -> None:
    head = (
        '<meta property="og:title" content="A tale">'
        '<link rel="alternate" type="text/markdown" href="/a.md">'
    )
    async with SmallSite(
        {"/a": article("A tale", modified="2026-06-19T09:00:00Z", head=head)}
    ) as site:
        site.pages["/a.md"] = Page(
            body="---\ntitle: Another tale\nupdated_at: 2026-06-18T09:00:00Z\n---\nWords.\n",
            type="text/markdown",
        )
        found = await look(f"{site.base}/a", SETTINGS)
    shown = found.article
    assert shown is not None
    assert {each.field for each in shown.disagreements} == {"title", "updated_at"}
    assert "formats-disagree" in {each.kind for each in shown.findings}
    assert {each.format: bool(each.why) for each in shown.formats} == {
        "html": False, "markdown": False,
    }  # fmt: skip


async def test_a_format_that_cannot_be_had_says_why() -> None:
    async with NewsroomServer(lambda base: Newsroom.create(base, 3)) as server:
        url = server.newsroom.records[0].url
        server.fault(f"{url.removeprefix(server.base)}.md", Fault(status=500))
        found = await look(url, SETTINGS)
    assert found.article is not None
    (lost,) = (each for each in found.article.formats if each.format == "markdown")
    assert lost.why == "the server answered 500 Internal Server Error"
    assert lost.url == f"{url}.md"


async def test_what_robots_forbid_is_not_asked_for() -> None:
    robots = Page(body="User-agent: *\nDisallow: /\nCrawl-delay: 3\n", type="text/plain")
    async with SmallSite({"/": article("A"), "/robots.txt": robots}) as site:
        found = await look(f"{site.base}/", SETTINGS)
        assert site.asked == ["/robots.txt"]
        assert (found.what, found.robots.allowed) == ("nothing", False)
        assert found.robots.crawl_delay == 3
        site.pages["/robots.txt"] = structs.replace(robots, body="User-agent: *\nDisallow: /\n")
        allowed = await look(f"{site.base}/", SETTINGS, ignore_robots=True)
        assert allowed.what != "nothing"


async def test_a_site_without_a_start_page_may_still_have_lists() -> None:
    async with SmallSite({"/a": article("A tale")}) as site:
        site.list("/a")
        found = await look(f"{site.base}/", SETTINGS)
    assert found.what == "site"
    assert found.article is not None
    assert found.article.title == "A tale"


async def test_a_dead_url_is_nothing_and_its_answer_says_so() -> None:
    async with SmallSite() as site:
        found = await look(f"{site.base}/none", SETTINGS)
    assert (found.what, found.why) == ("nothing", "the server answered 404 Not Found")


async def test_samples_are_tried_a_few_times_only() -> None:
    pages = {f"/p{number}": Page(status=500) for number in range(20)}
    async with SmallSite({**pages}) as site:
        site.list(*pages)
        found = await look(f"{site.base}/", SETTINGS)
        assert sum(path.startswith("/p") for path in site.asked) == TRIES
    assert found.article is None
    assert len(found.notes) == TRIES


async def test_what_goes_wrong_on_the_way_is_noted() -> None:
    feed = '<link rel="alternate" type="application/atom+xml" href="/feed">'
    broken = Page(body="<urlset><url><loc>", type="application/xml")
    async with SmallSite({"/": article("Front", head=feed), "/sitemap.xml": broken}) as site:
        site.pages["/"] = Page(body=f"<html><head>{feed}</head><body><p>Lists</p></body></html>")
        site.pages["/feed"] = Page(body="no feed at all")
        found = await look(f"{site.base}/", SETTINGS)
    assert found.feeds == (f"{site.base}/feed",)
    assert any("/sitemap.xml" in note for note in found.notes), found.notes


async def test_a_feed_is_guessed_where_nothing_else_lists() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title><id>a</id>'
        '<link href="BASE/a"/><updated>2026-06-19T08:00:00Z</updated></entry></feed>'
    )
    async with SmallSite({"/a": article("A tale")}) as site:
        site.pages["/feed.xml"] = Page(body=atom, type="application/atom+xml")
        site.pages["/feed"] = Page(body=atom, type="application/atom+xml")
        site.pages["/"] = Page(body="<html><body><p>Lists</p></body></html>")
        found = await look(f"{site.base}/", SETTINGS)
    assert [each.kind for each in found.sources] == ["feed"]
    assert found.article is not None
    assert found.article.url == f"{site.base}/a"


async def test_a_listed_page_that_is_no_article_is_passed_over() -> None:
    plain = Page(body="<html><body><p>About us</p></body></html>")
    async with SmallSite({"/about": plain, "/a": article("A tale")}) as site:
        site.list("/about", "/a")
        found = await look(f"{site.base}/", SETTINGS)
    assert found.article is not None
    assert found.article.title == "A tale"


async def test_a_host_that_asks_to_be_left_alone_is_left_alone_and_said() -> None:
    busy = Page(status=503, headers={"Retry-After": "9000"})
    async with SmallSite({"/robots.txt": busy}) as site:
        first = await look(f"{site.base}/", SETTINGS)
    async with SmallSite({"/": busy}) as site:
        second = await look(f"{site.base}/", SETTINGS)
    for found in (first, second):
        assert found.what == "nothing"
        assert "the server asked to be left alone until " in found.why
