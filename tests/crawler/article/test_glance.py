"""When a page alone shows that its article is as it was."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import structs

from crawler.article.glance import says_the_same
from crawler.digest import content_digest
from crawler.facts import Facts, Link
from storage.model import Manifest, Representation, Stamp

THEN = datetime(2026, 6, 19, 9, 13, 50, tzinfo=UTC)
MD, TXT = "https://n.example/a.md", "https://n.example/a.txt"
PAGE = Facts(
    source="html",
    extractor="html/1",
    title="The tide clock is wound",
    words="After forty years it runs.",
    updated_at=Stamp(at=THEN, unit="second", offset=0),
    links=(Link(rel="alternate", url=MD, type="text/markdown", declared_by="html"),),
)


def shown(name: str) -> Representation:
    return Representation(
        format=name,
        url=f"https://n.example/a.{name}",
        final_url=f"https://n.example/a.{name}",
        status=200,
        media_type="",
        digest="",
        length=1,
        fetched_at=THEN,
    )


def snapshot_of(page: Facts) -> Manifest:
    digest = content_digest(page)
    assert digest is not None
    return Manifest(
        site="n.example",
        scope="https://n.example/",
        slug="a",
        url="https://n.example/a",
        observed_at=THEN,
        run="r",
        content={"html": digest},
        stamps={"html": page.updated_at} if page.updated_at else {},
        representations=(shown("html"), shown("markdown")),
    )


def test_the_same_page_is_the_same() -> None:
    assert says_the_same(snapshot_of(PAGE), PAGE)


def test_other_words_are_a_reason_to_read() -> None:
    assert not says_the_same(snapshot_of(PAGE), structs.replace(PAGE, words="It stands still."))


def test_another_time_is_a_reason_to_read() -> None:
    later = Stamp(at=THEN.replace(hour=10), unit="second", offset=0)
    assert not says_the_same(snapshot_of(PAGE), structs.replace(PAGE, updated_at=later))


def test_a_time_that_is_no_longer_given_is_a_reason_to_read() -> None:
    assert not says_the_same(snapshot_of(PAGE), structs.replace(PAGE, updated_at=None))


def test_a_coarser_way_of_writing_the_time_is_the_same() -> None:
    day = Stamp(at=THEN.replace(hour=0, minute=0, second=0), unit="day", offset=0)
    assert says_the_same(snapshot_of(PAGE), structs.replace(PAGE, updated_at=day))


def test_a_format_that_is_new_is_a_reason_to_read() -> None:
    text = Link(rel="alternate", url=TXT, type="text/plain", declared_by="html")
    assert not says_the_same(snapshot_of(PAGE), structs.replace(PAGE, links=(*PAGE.links, text)))


def test_a_partial_snapshot_is_always_read_again() -> None:
    partial = structs.replace(snapshot_of(PAGE), state="partial")
    assert not says_the_same(partial, PAGE)
