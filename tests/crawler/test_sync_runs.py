"""Whole syncs of several sites: each by its own settings and within its budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from crawler.conductor import mirror
from crawler.config.settings import parse_config
from crawler.events import Event, Failed, Note, SiteStarted, Stored
from crawler.syncing import sync_request
from storage.archive import Archive
from tests.crawler.copying import alternate, markdown
from tests.crawler.runs import Ran, history
from tests.crawler.small_site import Page, SmallSite, article

FAST = "[defaults]\nrate = 0\nprobe = false\n[fetch]\nattempts = 1\n"


@pytest.fixture
async def one() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        fill(small, "/a", "/b", "/c", "/d", "/e", "/f")
        yield small


@pytest.fixture
async def two() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        fill(small, "/x", "/y")
        yield small


def fill(site: SmallSite, *paths: str) -> None:
    site.pages |= {path: article(f"Story {path[1:]}") for path in paths}
    site.list(*paths)


def table(url: str, more: str = "") -> str:
    return f'[[site]]\nurl = "{url}"\n{more}\n'


async def sync(
    root: Path,
    *tables: str,
    head: str = FAST,
    only: tuple[str, ...] = (),
    stop: asyncio.Event | None = None,
) -> Ran:
    events: list[Event] = []
    config = parse_config(head + "\n".join(tables), {})
    request = sync_request(config, root / "config.toml", only)
    return Ran(summary=await mirror(request, events.append, stop), events=events)


def kept(root: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in history(root / "mirror"):
        found.setdefault(row.site, set()).add(row.slug)
    return found


def articles(site: SmallSite, asked: int = 0) -> list[str]:
    return [path for path in site.asked[asked:] if len(path) == 2]


async def test_each_site_goes_by_its_own_settings(
    one: SmallSite, two: SmallSite, tmp_path: Path
) -> None:
    one.pages["/a"] = article("Story a", head=alternate("text/markdown", "/a.md"))
    one.pages["/a.md"] = markdown("Story a")
    two.pages["/x"] = article("Story x", head=alternate("text/markdown", "/x.md"))
    two.pages["/x.md"] = markdown("Story x")
    ran = await sync(
        tmp_path,
        table(f"{one.base}/", 'name = "first"\ninclude = ["/a*"]\nheaders = { X-Key = "k" }'),
        table(f"{two.base}/", 'name = "second"\nformats = ["html"]\nexclude = ["/y"]'),
    )
    assert ran.failures == {}
    assert ran.summary.sites == 2
    assert kept(tmp_path) == {"first": {"a"}, "second": {"x"}}
    formats = {row.slug: row.formats for row in history(tmp_path / "mirror")}
    assert formats == {"a": ("html", "markdown"), "x": ("html",)}
    assert all(heard.get("X-Key") == "k" for heard in one.heard)
    assert not any("X-Key" in heard for heard in two.heard)


async def test_a_site_inside_another_is_a_site_of_its_own(one: SmallSite, tmp_path: Path) -> None:
    one.pages["/news/n"] = article("Story n")
    one.list("/a", "/news/n")
    await sync(
        tmp_path,
        table(f"{one.base}/", 'name = "all"'),
        table(f"{one.base}/news/", 'name = "news"'),
    )
    assert kept(tmp_path) == {"all": {"a"}, "news": {"n"}}


async def test_an_interrupted_sync_is_gone_on_with(one: SmallSite, tmp_path: Path) -> None:
    stop = asyncio.Event()

    def stopping(_: Mapping[str, str]) -> Page:
        stop.set()
        return article("Story c")

    one.pages["/c"] = stopping
    site = table(f"{one.base}/", 'name = "first"\nconcurrency = 1')
    head = FAST + "workers = 1\n"
    await sync(tmp_path, site, head=head, stop=stop)
    assert kept(tmp_path) == {"first": set("abc")}
    asked = len(one.asked)
    ran = await sync(tmp_path, site, head=head)
    assert articles(one, asked) == ["/d", "/e", "/f"]
    assert (ran.summary.articles, ran.summary.snapshots) == (6, 3)
    asked = len(one.asked)
    await sync(tmp_path, site, head=head)
    assert sorted(articles(one, asked)) == [f"/{name}" for name in "abcdef"]


async def test_only_the_sites_that_were_named_have_a_turn(
    one: SmallSite, two: SmallSite, tmp_path: Path
) -> None:
    tables = (table(f"{one.base}/", 'name = "first"'), table(f"{two.base}/", 'name = "second"'))
    await sync(tmp_path, *tables, only=("second",))
    assert one.asked == []
    assert kept(tmp_path) == {"second": {"x", "y"}}


async def test_a_site_that_is_away_costs_the_others_nothing_and_is_new_trouble_once(
    one: SmallSite, tmp_path: Path
) -> None:
    tables = (table("http://nowhere.invalid/"), table(f"{one.base}/", 'name = "first"'))
    for known in (False, True):
        ran = await sync(tmp_path, *tables)
        failed = [event for event in ran.events if isinstance(event, Failed)]
        assert [(event.url, event.known) for event in failed] == [
            ("http://nowhere.invalid/", known)
        ]
        assert ran.summary.failed == 1
    assert kept(tmp_path) == {"first": set("abcdef")}


async def test_no_site_waits_for_anothers_first_answer(one: SmallSite, tmp_path: Path) -> None:
    through = asyncio.Event()

    def last(_: Mapping[str, str]) -> Page:
        through.set()
        return article("Story f")

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await through.wait()
        writer.close()
        await writer.wait_closed()

    one.pages["/f"] = last
    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    silent = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        ran = await sync(tmp_path, table(silent), table(f"{one.base}/", 'name = "first"'))
    assert set(ran.failures) == {silent}
    assert kept(tmp_path) == {"first": set("abcdef")}


async def test_a_label_that_the_mirror_has_already_stays_and_it_is_said(
    two: SmallSite, tmp_path: Path
) -> None:
    await sync(tmp_path, table(f"{two.base}/", 'name = "old"'))
    ran = await sync(tmp_path, table(f"{two.base}/", 'name = "new"'))
    assert any(
        "stays so: not new" in event.message for event in ran.events if isinstance(event, Note)
    )
    assert list(kept(tmp_path)) == ["old"]


class TestBudgets:
    """A budget ends a turn in good order; the next run goes on from there."""

    @pytest.mark.parametrize("budget", ["max_articles = 2", "max_requests = 6"])
    async def test_runs_after_each_other_come_to_the_end(
        self, budget: str, one: SmallSite, tmp_path: Path
    ) -> None:
        site = table(f"{one.base}/", f'concurrency = 1\nname = "first"\n{budget}')
        head = FAST + "workers = 1\n"
        done = 0
        for _ in range(6):
            ran = await sync(tmp_path, site, head=head)
            assert ran.failures == {}
            have = len(kept(tmp_path).get("first", ()))
            if have == 6:
                break
            said = [event.message for event in ran.events if isinstance(event, Note)]
            assert any(f"({budget.partition(' ')[0]})" in message for message in said)
            assert have > done
            done = have
        assert kept(tmp_path) == {"first": set("abcdef")}
        assert sorted(articles(one)) == [f"/{name}" for name in "abcdef"]

    async def test_the_time_is_one(self, one: SmallSite, tmp_path: Path) -> None:
        # Else its 404 is a failure where the time is over before the sitemap is read.
        one.pages["/"] = Page(body="<p>News from the harbour</p>")
        slow = "[defaults]\nrate = 5\nconcurrency = 1\nprobe = false\n[fetch]\nworkers = 1\n"
        ran = await sync(tmp_path, table(f"{one.base}/", "max_seconds = 0.5"), head=slow)
        assert any(
            "max_seconds" in event.message for event in ran.events if isinstance(event, Note)
        )
        assert ran.failures == {}
        assert len(articles(one)) < 6

    async def test_one_sites_budget_is_not_anothers(
        self, one: SmallSite, two: SmallSite, tmp_path: Path
    ) -> None:
        await sync(
            tmp_path,
            table(f"{one.base}/", 'name = "first"\nmax_articles = 1'),
            table(f"{two.base}/", 'name = "second"'),
        )
        assert {name: len(slugs) for name, slugs in kept(tmp_path).items()} == {
            "first": 1,
            "second": 2,
        }

    async def test_what_is_unfinished_comes_first(
        self, one: SmallSite, two: SmallSite, tmp_path: Path
    ) -> None:
        first = table(f"{one.base}/", 'name = "first"')
        await sync(tmp_path, first, table(f"{two.base}/", 'name = "second"\nmax_articles = 1'))
        ran = await sync(tmp_path, first, table(f"{two.base}/", 'name = "second"'))
        turns = [event.site for event in ran.events if isinstance(event, SiteStarted)]
        assert turns == ["second", "first"]

    async def test_an_edit_that_a_list_announces_is_not_left_for_later(
        self, one: SmallSite, tmp_path: Path
    ) -> None:
        dated(one, "2026-06-01")
        site = table(f"{one.base}/", 'name = "first"\nmax_articles = 3')
        await sync(tmp_path, site)
        one.pages["/a"] = article("Story a, edited")
        dated(one, "2026-06-02")
        await sync(tmp_path, site)
        assert [row.reason for row in history(tmp_path / "mirror", "a")][1:]


def dated(site: SmallSite, lastmod: str) -> None:
    urls = "".join(
        f"<url><loc>BASE/{name}</loc><lastmod>{lastmod}</lastmod></url>" for name in "abcdef"
    )
    site.pages["/sitemap.xml"] = Page(body=f"<urlset>{urls}</urlset>", type="application/xml")


async def test_a_format_that_is_missing_for_good_fails_one_run_only(
    one: SmallSite, tmp_path: Path
) -> None:
    one.pages["/a"] = article("Story a", head=alternate("text/markdown", "/a.md"))
    site = table(f"{one.base}/", 'name = "first"')
    ran = await sync(tmp_path, site)
    assert ran.summary.partial == 1
    ran = await sync(tmp_path, site)
    assert (ran.summary.partial, ran.summary.snapshots) == (0, 0)
    one.pages["/a"] = article("Story a, edited", head=alternate("text/markdown", "/a.md"))
    ran = await sync(tmp_path, site)
    stored = [event for event in ran.events if isinstance(event, Stored)]
    assert [(event.state, event.known) for event in stored] == [("partial", True)]
    with Archive.open(tmp_path / "mirror") as archive:
        (status,) = archive.status()
    assert status.partial == 1
