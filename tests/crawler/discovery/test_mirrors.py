"""What another mirror lists: which of its documents are read, and how far it is known then."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from crawler.discovery.documents import Documents
from crawler.discovery.memory import Memory
from crawler.discovery.mirrors import CHANGES, Mirrors, no_later
from crawler.events import Event, Failed
from crawler.frontier import Entry
from tests.crawler.fetching import NOW, fetching
from tests.crawler.small_site import Page, SmallSite

START = "/.well-known/resourcesync"
SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:rs="http://www.openarchives.org/rs/terms/" xmlns:own="urn:slugline:terms"'
)
T1, T2, T3 = "2026-06-01T00:00:00Z", "2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z"


def listing(root: str, about: str, *items: str) -> Page:
    body = f"<{root} {SPACES}><rs:md {about}/>{''.join(items)}</{root}>"
    return Page(body=body, type="application/xml")


def part(path: str, capability: str, name: str = "url") -> str:
    return f'<{name}><loc>BASE{path}</loc><rs:md capability="{capability}"/></{name}>'


def resource(slug: str, about: str = "", name: str = "html") -> str:
    return (
        f"<url><loc>BASE/latest/{name}/{slug}</loc><rs:md {about}/>"
        f'<own:article slug="{slug}" updated_at="{T1}" format="{name}"/></url>'
    )


def change(slug: str, at: str, what: str = "updated") -> str:
    return resource(slug, f'change="{what}" datetime="{at}"')


def lists(*pages: Page, changes: Page) -> dict[str, Page]:
    """Return a mirror of one site whose Resource List has these pages."""
    places = [f"/pages/{number}" for number in range(len(pages))]
    index = [part(place, "resourcelist", "sitemap") for place in places]
    return {
        START: listing("urlset", 'capability="description"', part("/all", "capabilitylist")),
        "/all": listing(
            "urlset", 'capability="capabilitylist"', part("/resources", "resourcelist"),
            part("/changes", "changelist"),
        ),
        "/resources": listing("sitemapindex", f'capability="resourcelist" at="{T2}"', *index),
        "/changes": changes,
        **dict(zip(places, pages, strict=True)),
    }  # fmt: skip


def page(*slugs: str) -> Page:
    return listing("urlset", 'capability="resourcelist"', *map(resource, slugs))


def since(moment: str, *items: str) -> Page:
    return listing("urlset", f'capability="changelist" from="{moment}"', *items)


@pytest.fixture
async def site() -> AsyncIterator[SmallSite]:
    async with SmallSite() as small:
        yield small


class Read:
    """What reading gave: the entries, what was reached, what was said."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reached: dict[str, str] = {}
        self.events: list[Event] = []
        self.whole = True

    @property
    def slugs(self) -> list[str]:
        return [each.listed.slug for each in self.entries if each.listed]


async def read(site: SmallSite, known: str = "", *, start: str = START, most: int = 100) -> Read:
    """Read the mirror at ``site``, whose changes are known up to the moment ``known``."""
    found = Read()
    reached = {f"{site.base}/changes": known} if known else {}

    async def allowed(_url: str) -> bool:
        return True

    async with fetching(named=(f"{site.base}/",)) as fetcher:
        documents = Documents(
            "site", fetcher, Memory.none(), allowed=allowed, report=found.events.append,
            clock=lambda: NOW,
        )  # fmt: skip
        mirrors = Mirrors(documents, most)
        async for entries in mirrors.listed(f"{site.base}{start}", reached):
            found.entries += entries
    found.reached = {url.removeprefix(site.base): at for url, at in mirrors.reached.items()}
    found.whole = documents.whole
    return found


async def test_all_of_a_mirror_is_read_the_first_time(site: SmallSite) -> None:
    site.pages |= lists(page("a", "b"), page("c"), changes=since(T1))
    found = await read(site)
    assert found.slugs == ["a", "b", "c"]
    assert {each.source for each in found.entries} == {"sitemap"}
    assert [each.url for each in found.entries[:1]] == [f"{site.base}/latest/html/a"]
    assert all(each.named and each.lastmod == T1 for each in found.entries)
    assert found.reached == {"/changes": T2}
    assert "/changes" not in site.asked


async def test_one_site_of_a_mirror_is_read_from_its_own_list(site: SmallSite) -> None:
    site.pages |= lists(page("a"), changes=since(T1))
    assert (await read(site, start="/all")).slugs == ["a"]
    assert START not in site.asked


async def test_what_is_known_up_to_a_moment_is_read_by_its_changes(site: SmallSite) -> None:
    news = (change("old", T1), change("a", T2), change("gone", T3, "deleted"))
    site.pages |= lists(page("a"), changes=since("1970-01-01T00:00:00Z", *news))
    found = await read(site, T2)
    # A day before the moment again: what was seen then may have been listed later.
    assert found.slugs == ["old", "a", "gone"]
    assert [each.listed.gone for each in found.entries if each.listed] == [False, False, True]
    assert {each.source for each in found.entries} == {CHANGES}
    assert found.reached == {"/changes": T3}
    assert "/resources" not in site.asked


async def test_where_nothing_changed_the_moment_stays(site: SmallSite) -> None:
    site.pages |= lists(page("a"), changes=since("1970-01-01T00:00:00Z", change("a", T1)))
    found = await read(site, T2)
    assert found.slugs == ["a"]
    assert found.reached == {"/changes": T2}


async def test_a_list_of_the_year_one_is_read_as_any_other(site: SmallSite) -> None:
    site.pages |= lists(page("a"), changes=since("0001-01-01T00:00:00Z", change("a", T1)))
    found = await read(site, "0001-01-01T00:00:00Z")
    assert found.slugs == ["a"]


def test_no_moment_is_reached_before_it_is_there() -> None:
    now = datetime(2026, 6, 19, tzinfo=UTC)
    reached = {"/a": "9999-12-31T23:59:59Z", "/b": "2026-06-18T00:00:00Z", "/c": "soon"}
    assert no_later(reached, now) == {
        "/a": "2026-06-19T00:00:00Z", "/b": "2026-06-18T00:00:00Z", "/c": "2026-06-19T00:00:00Z",
    }  # fmt: skip


@pytest.mark.parametrize("changes", [since(T2, change("a", T3)), Page(status=404), page("x")])
async def test_changes_that_do_not_go_back_far_enough_give_way_to_all(
    site: SmallSite, changes: Page
) -> None:
    site.pages |= lists(page("a", "b"), changes=changes)
    found = await read(site, T2)
    assert found.slugs == ["a", "b"]


@pytest.mark.parametrize("broken", [START, "/all", "/resources", "/pages/0"])
async def test_a_list_that_cannot_be_read_is_a_failure(site: SmallSite, broken: str) -> None:
    site.pages |= lists(page("a"), changes=since(T1)) | {broken: Page(body="<html>", type="x/y")}
    found = await read(site)
    assert found.slugs == []
    assert not found.whole
    assert [type(each) for each in found.events] == [Failed]


async def test_no_more_documents_are_read_than_allowed(site: SmallSite) -> None:
    site.pages |= lists(page("a"), page("b"), changes=since(T1))
    found = await read(site, most=4)
    assert found.slugs == ["a"]
    assert not found.whole
