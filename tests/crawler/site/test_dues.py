"""Which known articles a run asks for, and how much of one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from crawler.events import Unchanged
from crawler.frontier import Entry
from crawler.site.dues import WANTED, Dues
from crawler.site.plan import Plan
from storage.archive import Archive
from storage.model import EntryState
from tests.crawler.copying import alternate, markdown
from tests.crawler.runs import history, reasons, run
from tests.crawler.small_site import Page, SmallSite, article

MODIFIED = "2026-06-19T09:13:50Z"


LASTMOD = "2026-06-19"


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


def dated(site: SmallSite, *paths: str, lastmod: str = LASTMOD) -> None:
    urls = "".join(f"<url><loc>BASE{p}</loc><lastmod>{lastmod}</lastmod></url>" for p in paths)
    site.pages["/sitemap.xml"] = Page(body=f"<urlset>{urls}</urlset>", type="application/xml")


def asked_again(site: SmallSite, asked: int) -> list[str]:
    usual = {"/", "/robots.txt", "/llms.txt", "/sitemap.xml"}
    return [path for path in site.asked[asked:] if path not in usual]


class TestDue:
    """Which articles of an earlier run are asked for again."""

    async def test_an_old_lastmod_that_did_not_move_is_trusted_until_its_turn_to_be_verified(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        site.pages["/a"] = article("Story", modified=MODIFIED)
        dated(site, "/a")
        await run(f"{site.base}/", tmp_path / "m", probe=False)
        asked = len(site.asked)
        ran = await run(f"{site.base}/", tmp_path / "m", verify="due", probe=False)
        assert asked_again(site, asked) == []
        assert [type(e) for e in ran.events if isinstance(e, Unchanged)] == [Unchanged]
        await run(f"{site.base}/", tmp_path / "m", verify="all", probe=False)
        assert asked_again(site, asked) == ["/a"]

    async def test_a_lastmod_that_moved_makes_it_due(self, site: SmallSite, tmp_path: Path) -> None:
        site.pages["/a"] = article("Story", modified=MODIFIED)
        dated(site, "/a")
        await run(f"{site.base}/", tmp_path / "m", probe=False)
        asked = len(site.asked)
        dated(site, "/a", lastmod="2026-06-20")
        await run(f"{site.base}/", tmp_path / "m", verify="none", probe=False)
        assert asked_again(site, asked) == ["/a"]

    async def test_a_partial_article_is_due_whatever_its_lastmod_says(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        head = alternate("text/markdown", "/a.md")
        site.pages["/a"] = article("Story", modified=MODIFIED, head=head)
        dated(site, "/a")
        await run(f"{site.base}/", tmp_path / "m")
        site.pages["/a.md"] = markdown("Story", updated=MODIFIED)
        await run(f"{site.base}/", tmp_path / "m", verify="none")
        assert reasons(tmp_path / "m", "a") == ["first", "completed"]

    async def test_a_304_keeps_the_body_and_a_fresh_snapshot_refers_to_it(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        head = alternate("text/markdown", "/a.md")
        page = article("Story", modified=MODIFIED, head=head)

        def tagged(sent: Mapping[str, str]) -> Page:
            unchanged = sent.get("If-None-Match") == '"1"'
            return structs.replace(Page(status=304) if unchanged else page, headers={"ETag": '"1"'})

        site.pages |= {"/a": tagged, "/a.md": markdown("Story", updated=MODIFIED)}
        site.list("/a")
        await run(f"{site.base}/", tmp_path / "m")
        site.pages["/a.md"] = markdown("Story", updated=MODIFIED, words="Silently other words.")
        await run(f"{site.base}/", tmp_path / "m")
        assert reasons(tmp_path / "m", "a") == ["first", "silent-edit"]
        with Archive.open(tmp_path / "m") as archive:
            first, second = (archive.manifest(row) for row in history(tmp_path / "m", "a"))
            old, new = first.representation("html"), second.representation("html")
            assert old is not None
            assert new is not None
            assert new.target_id == old.record_id
            assert new.fetched_at > old.fetched_at
            assert archive.body(second, "html").decoded == archive.body(first, "html").decoded

    async def test_copies_that_may_not_be_kept_are_never_asked_for_by_their_validators(
        self, site: SmallSite, tmp_path: Path
    ) -> None:
        fields = {"ETag": '"1"', "X-Robots-Tag": "noarchive"}
        head = alternate("text/markdown", "/a.md")
        for path, page in (("/a", article("A", head=head)), ("/a.md", markdown("A"))):
            site.pages[path] = structs.replace(page, headers=fields)
        site.list("/a")
        await run(f"{site.base}/", tmp_path / "m")
        asked = len(site.asked)
        await run(f"{site.base}/", tmp_path / "m")
        assert asked_again(site, asked) == ["/a", "/a.md"]
        assert not any("If-None-Match" in sent for sent in site.heard)


NOW = datetime(2026, 6, 19, 8, tzinfo=UTC)
DAY = timedelta(days=1)
URL = "https://a.example/news/a"


def dues(*, gone: bool = False, **plan: Any) -> Dues:
    asked = Plan(start="https://a.example/", **{"verify": "due", **plan})
    return Dues(asked, lambda: NOW, lambda _: gone)


def known(verdict: Any = "article", *, days: float = 1, **more: Any) -> EntryState:
    """Return what an earlier run left of an entry, ``days`` ago."""
    at = NOW - days * DAY
    values: dict[str, Any] = {"slug": "a", "checked_at": at, "verified_at": at, "run": "r"} | more
    return EntryState(site="a", url=URL, verdict=verdict, **values)


class TestWhatALifeCosts:
    """The decisions alone: no site, no archive."""

    @pytest.mark.parametrize(
        ("verify", "days", "glances"),
        [("all", 0.1, False), ("none", 99, True), ("due", 0.1, True), ("due", 99, False)],
    )
    def test_a_known_article_is_glanced_at_until_it_is_due(
        self, verify: Any, days: float, glances: bool
    ) -> None:
        it = dues(verify=verify)
        assert it.may_glance(known(days=days)) is glances
        assert not it.may_glance(known("page", days=days))

    def test_an_article_is_whole_where_all_that_is_wanted_now_was_had_then(self) -> None:
        it = dues()
        it.recall({}, {WANTED: '{"formats":[],"since":"2026-06-01T00:00:00Z"}'}, {})
        assert it.is_whole(known(days=1))
        assert not it.is_whole(known(days=40))
        assert not it.is_whole(known(verified_at=None))
        assert not dues(formats=frozenset({"pdf"})).is_whole(known(days=1))

    @pytest.mark.parametrize(
        "note", ["", "x", "{}", '{"formats":["pdf"],"since":"2020-01-01T00:00:00Z"}']
    )
    def test_a_note_of_other_formats_or_none_is_no_proof(self, note: str) -> None:
        it = dues()
        it.recall({}, {WANTED: note}, {})
        assert not it.is_whole(known(days=1))

    def test_a_feed_lets_a_page_stand_for_a_while(self) -> None:
        it = dues()
        entry = Entry(url=URL, source="feed")
        assert it.page_stands(entry, known("page"))
        assert not it.page_stands(entry, known("article"))
        assert not it.page_stands(entry, known("page", days=31))
        assert not it.page_stands(entry, known("page", days=-1))
        assert not it.page_stands(Entry(url=URL, source="sitemap"), known("page"))
        assert not it.page_stands(Entry(url=URL, source="feed", lastmod="2026"), known("page"))
        assert not dues(verify="all").page_stands(entry, known("page"))

    def test_what_nothing_names_is_asked_for_when_it_is_due(self) -> None:
        def asked(before: EntryState, **plan: Any) -> bool:
            it = dues(**plan)
            it.recall({URL: before}, {}, {})
            return bool(it.unlisted(lambda _: True))

        assert asked(known(days=31))
        assert not asked(known(days=0.1))
        assert asked(known(days=0.1), verify="all")
        assert not asked(known(days=31), verify="none")
        assert not asked(known(days=31, slug=""))
        assert asked(known("failed", days=31))

    def test_one_that_a_dated_list_names_no_longer_is_asked_at_once(self) -> None:
        it = dues()
        it.recall({URL: known(days=0.1, lastmod="2026-06-18")}, {}, {})
        assert it.unlisted(lambda _: True) == []
        it.saw(Entry(url="https://a.example/b", source="sitemap", lastmod="2026-06-18"))
        assert [entry.url for entry in it.unlisted(lambda _: True)] == [URL]
        assert it.unlisted(lambda _: False) == []
        assert it.articles() == {URL}
