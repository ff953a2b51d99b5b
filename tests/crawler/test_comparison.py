"""Formats side by side: what counts as saying the same, and who declares what."""

from __future__ import annotations

from typing import Any

import pytest

from crawler.article.copies import Copy
from crawler.comparison import Saying, alternates, sayings
from crawler.facts import Facts, Link
from storage.model import Representation, Stamp, Validator
from storage.times import parse_declared
from tests.crawler.fetching import NOW

URL = "https://news.example/a"


def facts(source: Any, **said: Any) -> Facts:
    return Facts(source=source, extractor="test/1", **said)


def saying(name: str, *each: Facts) -> Saying:
    found = {one.field: one for one in sayings({one.source: one for one in each})}
    return found[name]


def stamp(text: str) -> Stamp:
    found = parse_declared(text)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("field", "one", "other", "agree"),
    [
        ("title", "A  tale", "A tale", True),
        ("title", "A tale", "Another tale", False),
        ("lang", "en", "en-US", True),
        ("lang", "en-GB", "en_us", False),
        ("slug", "a", "b", False),
        ("canonical", "https://news.example/a", "http://www.news.example/a", True),
        ("canonical", "https://news.example/a", "https://news.example/b", False),
        ("topics", ("a",), ("a", "b"), True),
    ],
)
def test_equal_is_what_the_archive_takes_for_equal(
    field: str, one: Any, other: Any, agree: bool
) -> None:
    both = facts("html", **{field: one}), facts("markdown", **{field: other})
    found = saying(field, *both)
    assert found.agree is agree
    assert list(found.values) == ["markdown", "html"]


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("2026-06-19T09:13:50.166750Z", "2026-06-19T09:13:50Z", True),
        ("2026-06-19T09:13:50Z", "2026-06-19", True),
        ("2026-06-19T09:13:50Z", "2026-06-19T11:13:50+02:00", True),
        ("2026-06-19T09:13:50Z", "2026-06-19T09:14:50Z", False),
    ],
)
def test_times_are_compared_by_their_precision(one: str, other: str, agree: bool) -> None:
    both = facts("html", updated_at=stamp(one)), facts("json", updated_at=stamp(other))
    assert saying("updated_at", *both).agree is agree


def test_a_time_without_a_zone_is_said_and_contradicts_nothing() -> None:
    bare = facts("html", updated_at=stamp("2026-06-19T10:00:00"))
    zoned = facts("json", updated_at=stamp("2026-06-19T09:13:50Z"))
    found = saying("updated_at", bare, zoned)
    assert found.agree
    assert found.values["html"] == "2026-06-19T10:00:00Z (no zone)"


def test_a_guessed_title_is_compared_with_no_declared_one() -> None:
    declared = facts("html", title="A tale")
    guessed = facts("markdown", title="In short", title_guessed=True)
    found = saying("title", declared, guessed)
    assert found.agree
    assert found.values == {"html": "A tale", "markdown": "In short (not declared)"}


def test_what_nobody_says_is_left_out() -> None:
    assert sayings({"html": facts("html")}) == ()


def copy(*links: Link) -> Copy:
    shown = Representation(
        format="html", url=URL, final_url=URL, status=200, media_type="text/html",
        digest="", length=0, fetched_at=NOW,
    )  # fmt: skip
    return Copy(
        facts=facts("html", links=links),
        representation=shown,
        payloads=(),
        validator=Validator(url=URL, digest=""),
    )


def test_an_alternate_names_everyone_who_declares_it() -> None:
    def link(by: str, **more: Any) -> Link:
        return Link(rel="alternate", url=f"{URL}.md", type="text/markdown", declared_by=by, **more)

    other = Link(rel="alternate", url=f"{URL}/de", hreflang="de", declared_by="html")
    feed = Link(rel="alternate", url=f"{URL}/feed", type="application/rss+xml", declared_by="html")
    amp = Link(rel="amphtml", url=f"{URL}/amp", declared_by="html")
    canonical = Link(rel="canonical", url=URL, declared_by="html")
    found = alternates([copy(link("html"), other, feed, amp, canonical), copy(link("header"))])
    assert [(each.format, each.what) for each in found] == [
        ("markdown", "a format"),
        ("", "another language: de"),
        ("", "a feed"),
        ("", "for other devices"),
    ]
    assert found[0].declared_by == ("html", "header")
