"""What a run tells and notes of an entry."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest

from crawler.events import Event, Failed, Note, Passed, Unchanged
from crawler.frontier import Entry
from crawler.site.notes import EntryNotes
from storage.model import EntryState, Site
from storage.writer import Writer
from tests.crawler.fetching import NOW

ENTRY = Entry(url="https://a.example/news/a", source="sitemap", lastmod="2026-06-18")


class Told:
    """Hears events, and takes notes as a writer does. Mutable: both."""

    def __init__(self, *, implicit: bool = False) -> None:
        self.events: list[Event] = []
        self.noted: list[EntryState] = []
        site = Site(name="a", scope="https://a.example/", implicit=implicit)
        self.notes = EntryNotes(
            site, "a-run", cast("Writer", self), report=self.events.append, clock=lambda: NOW
        )

    def note_entry(self, state: EntryState) -> None:
        self.noted.append(state)


@pytest.mark.parametrize("verdict", ["page", "failed", "skipped", "gone"])
def test_what_gave_no_article_is_noted_with_its_list_and_reason(verdict: Any) -> None:
    told = Told()
    told.notes.note(ENTRY, verdict, "why it is so", 3)
    (state,) = told.noted
    assert (state.site, state.url, state.verdict, state.why) == (
        "a", ENTRY.url, verdict, "why it is so",
    )  # fmt: skip
    assert (state.lastmod, state.checked_at, state.run) == ("2026-06-18", NOW, "a-run")
    assert (state.slug, state.attempts, state.verified_at) == ("", 3, None)
    assert told.events == []


def test_an_article_that_is_not_had_now_stays_the_one_that_was_verified_then() -> None:
    told = Told()
    then = NOW - timedelta(days=3)
    before = EntryState(
        site="a", url=ENTRY.url, verdict="article", slug="a", checked_at=NOW, run="r",
        verified_at=then,
    )  # fmt: skip
    told.notes.note(ENTRY, "failed", "why it is so", 1, before=before)
    (state,) = told.noted
    assert (state.verdict, state.slug, state.verified_at) == ("failed", "a", then)


def test_each_thing_that_happens_to_an_entry_is_an_event_of_its_site() -> None:
    told = Told()
    told.notes.passed(ENTRY, "page", "a list")
    told.notes.failed(ENTRY.url, "404", known=True)
    told.notes.unchanged(ENTRY, "a")
    told.notes.say("12 articles listed", trouble=True)
    assert told.events == [
        Passed(at=NOW, site="a", url=ENTRY.url, verdict="page", why="a list"),
        Failed(at=NOW, site="a", url=ENTRY.url, reason="404", known=True),
        Unchanged(at=NOW, site="a", slug="a", url=ENTRY.url),
        Note(at=NOW, site="a", message="12 articles listed", trouble=True),
    ]


def test_an_original_on_another_host_never_fails_it_only_passes() -> None:
    told = Told(implicit=True)
    told.notes.failed(ENTRY.url, "404")
    assert told.events == [Passed(at=NOW, site="a", url=ENTRY.url, verdict="failed", why="404")]
