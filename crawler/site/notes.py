"""What a site's run says and notes of an entry: one place for the events and the stored states."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from crawler.events import Event, Failed, Note, Passed, Unchanged
from crawler.frontier import Entry
from storage.model import EntryState, Site
from storage.writer import Writer

Verdict = Literal["article", "page", "failed", "skipped", "gone"]


class EntryNotes:
    """Tells of one site's entries in one run. Keeps nothing but what it was made with."""

    def __init__(
        self,
        site: Site,
        run: str,
        writer: Writer,
        *,
        report: Callable[[Event], None],
        clock: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._run = run
        self._writer = writer
        self._report = report
        self._clock = clock

    def state(
        self,
        entry: Entry,
        verdict: Verdict,
        slug: str,
        *,
        at: datetime,
        verified_at: datetime | None = None,
        why: str = "",
        attempts: int = 0,
    ) -> EntryState:
        """Return what is to be remembered of ``entry``, as it was ``at`` that moment."""
        return EntryState(
            site=self._site.name,
            url=entry.url,
            verdict=verdict,
            slug=slug,
            why=why,
            lastmod=entry.lastmod,
            checked_at=at,
            run=self._run,
            attempts=attempts,
            verified_at=verified_at,
        )

    def note(
        self,
        entry: Entry,
        verdict: Verdict,
        why: str,
        attempts: int = 0,
        *,
        before: EntryState | None = None,
    ) -> None:
        """Remember an entry that gave no article now.

        An article that it was ``before`` stays the one that was compared with the site then.
        """
        slug, verified = ("", None) if before is None else (before.slug, before.verified_at)
        self._writer.note_entry(
            self.state(
                entry,
                verdict,
                slug,
                at=self._clock(),
                verified_at=verified,
                why=why,
                attempts=attempts,
            )
        )

    def passed(self, entry: Entry, verdict: str, why: str) -> None:
        """Tell of an entry that is passed over, and why."""
        self._report(
            Passed(at=self._clock(), site=self._site.name, url=entry.url, verdict=verdict, why=why)
        )

    def failed(self, url: str, reason: str, *, known: bool = False) -> None:
        """Tell of a failure; an original on another host is a courtesy, so it only passes."""
        if self._site.implicit:
            self.passed(Entry(url=url), "failed", reason)
            return
        self._report(
            Failed(at=self._clock(), site=self._site.name, url=url, reason=reason, known=known)
        )

    def unchanged(self, entry: Entry, slug: str) -> None:
        """Tell of an article that is as it was."""
        now = self._clock()
        self._report(Unchanged(at=now, site=self._site.name, slug=slug, url=entry.url))

    def say(self, message: str, *, trouble: bool = False) -> None:
        """Tell the operator a sentence; one of ``trouble`` is said in a quiet run too."""
        now = self._clock()
        self._report(Note(at=now, site=self._site.name, message=message, trouble=trouble))
