"""Which events are trouble, which are remarks, and how a line of each reads."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import pytest
from msgspec import structs

from crawler.events import Discovered, Event, Failed, Happened, Note, Stored, Unchanged, Waiting
from crawler.progress.lines import discovery_line, remark, trouble
from crawler.progress.reporters import Quiet

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
URL = "https://news.example/a"
LOUD = Note(at=NOW, message="7 known articles were not at their URLs", site="n", trouble=True)
SAID = Note(at=NOW, message="12 articles listed")


def stored(state: str, *, known: bool = False, reason: str = "first") -> Stored:
    return Stored(
        at=NOW,
        site="n",
        slug="a",
        url=URL,
        updated_at=NOW,
        revision=0,
        reason=reason,
        state=state,
        formats=("html",),
        missing={"text": "404"} if state == "partial" else {},
        known=known,
    )


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (LOUD, "n: 7 known articles were not at their URLs"),
        (Failed(at=NOW, site="n", url=URL, reason="500"), f"failed: {URL}: 500"),
        (stored("partial"), f"partial: {URL}: text: 404"),
    ],
)
def test_trouble_is_said_even_by_a_quiet_run(event: Event, line: str) -> None:
    stream = io.StringIO()
    Quiet(stream)(event)
    assert trouble(event) == line
    assert stream.getvalue() == f"slugline: {line}\n"


@pytest.mark.parametrize(
    "event",
    [
        SAID,
        Failed(at=NOW, site="n", url=URL, reason="500", known=True),
        stored("partial", known=True),
        stored("complete", reason="silent-edit"),
        Unchanged(at=NOW, site="n", slug="a", url=URL),
        Happened(at=NOW, site="n", slug="a", url=URL, event="gone"),
        Waiting(at=NOW, host="news.example:443", seconds=60, why="asked to"),
    ],
)
def test_a_quiet_run_is_silent_where_nothing_new_is_wrong(event: Event) -> None:
    stream = io.StringIO()
    Quiet(stream)(event)
    assert stream.getvalue() == ""


def test_a_remark_names_its_site_where_it_has_one_and_is_cleaned() -> None:
    assert remark(SAID) == "12 articles listed"
    assert remark(Note(at=NOW, site="n", message="a\x1b[31m b")).startswith("n: a")
    assert "\x1b" not in remark(Note(at=NOW, site="n", message="a\x1b[31m b"))


def test_a_list_says_how_much_of_it_was_named_before() -> None:
    found = Discovered(at=NOW, site="n", source="feed", url=URL, count=60, new=60)
    assert discovery_line(found) == f"feed {URL}: 60 URLs"
    assert discovery_line(structs.replace(found, new=2)) == (
        f"feed {URL}: 60 URLs, 58 of them named before"
    )


def test_only_waits_worth_saying_are_said() -> None:
    assert remark(Waiting(at=NOW, host="h", seconds=1, why="pace")) == ""
    assert "h" in remark(Waiting(at=NOW, host="h", seconds=60, why="pace"))
