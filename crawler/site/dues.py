"""Which of a site's known articles cost a request in this run, and how much of one.

An article is either proven unchanged by a list, or its page alone is glanced at, or it is due and
every format is asked for; one that nothing names any more is asked for when it is due.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import Struct

from crawler.article.reading import Reading
from crawler.discovery.mirrors import CHANGES
from crawler.due import is_due, unchanged_by_lastmod
from crawler.frontier import Entry
from crawler.site.honesty import Honesty
from crawler.site.plan import Plan
from crawler.urls import in_scope
from crawler.vanishing import ask_again
from storage.model import EntryState, Lately

#: Under which a site's memory keeps how its sitemap dates have done.
HONESTY = "lastmod-honesty"
#: Under which it keeps which formats are wanted.
WANTED = "formats-wanted"


class WantedFormats(Struct, frozen=True, kw_only=True):
    """The formats that the user wants of a site, all where there are none, and since when."""

    formats: tuple[str, ...]
    since: Annotated[datetime, msgspec.Meta(tz=True)]


class Dues:
    """One site's dues in one run. Mutable state: what is known of entries, and of its dates."""

    def __init__(
        self, plan: Plan, clock: Callable[[], datetime], is_gone: Callable[[str], bool]
    ) -> None:
        """``is_gone`` tells by its slug whether an article counts as gone."""
        self._plan = plan
        self._clock = clock
        self._is_gone = is_gone
        self._honesty = Honesty()
        self._wanted = WantedFormats(formats=tuple(sorted(plan.formats)), since=clock())
        self._dated = False
        self._lately: dict[str, Lately] = {}
        self.states: dict[str, EntryState] = {}

    def recall(
        self, states: dict[str, EntryState], memory: dict[str, str], lately: dict[str, Lately]
    ) -> None:
        """Take in what earlier runs left, and by slug when the articles changed ``lately``."""
        self.states = states
        self._lately = lately
        # An unreadable note is none: the index may be somebody else's.
        with suppress(msgspec.DecodeError):
            self._honesty = msgspec.json.decode(memory.get(HONESTY, "{}"), type=Honesty)
        with suppress(msgspec.DecodeError):
            wanted = msgspec.json.decode(memory.get(WANTED, ""), type=WantedFormats)
            if wanted.formats == self._wanted.formats:
                self._wanted = wanted

    def remembered(self) -> str:
        """Return what the next run is to know of the site's dates, as JSON text."""
        return msgspec.json.encode(self._honesty).decode()

    @property
    def wanted(self) -> str:
        """What the next run is to know of the formats wanted, as JSON text."""
        return msgspec.json.encode(self._wanted).decode()

    def saw(self, entry: Entry) -> None:
        """Take in that an entry came up; one with a date tells that there is a list with dates.

        A list of changes names but a few.
        """
        self._dated = self._dated or (bool(entry.lastmod) and entry.source != CHANGES)

    def undue(self, entry: Entry, before: EntryState) -> bool:
        """Say whether the list proves an article unchanged, and it need not be verified now."""
        plan = self._plan
        if plan.verify == "all" or not unchanged_by_lastmod(entry.lastmod, before):
            return False
        if plan.verify == "none":
            return True
        return self._honesty.proven and not self._is_due(before)

    def may_glance(self, before: EntryState) -> bool:
        """Say whether a known article's page alone is asked for: it is not to be verified now."""
        if self._plan.verify == "all" or before.verdict != "article":
            return False
        return self._plan.verify == "none" or not self._is_due(before)

    def is_whole(self, before: EntryState) -> bool:
        """Say whether every format that is wanted now was had when the article was last read whole.

        Then a page of which the server says that it stands names none that the archive lacks.
        """
        return before.verified_at is not None and before.verified_at >= self._wanted.since

    def page_stands(self, entry: Entry, before: EntryState) -> bool:
        """Say whether what was a page and no article need not be looked at, for a while.

        The list must say of it what it said then; and since links of a page lead to articles that
        no list names, a date that is believed must say that it is as it was, or a feed name it.
        """
        age = self._clock() - before.checked_at
        if self._plan.verify == "all" or before.verdict != "page":
            return False
        if entry.lastmod != before.lastmod or not timedelta() <= age < self._plan.verify_within:
            return False
        dated = self._honesty.proven and unchanged_by_lastmod(entry.lastmod, before)
        return dated or entry.source == "feed"

    def weigh(self, entry: Entry, reading: Reading, *, edited: bool) -> bool:
        """Learn from a full reading whether the site's dates can be believed.

        Returns whether they were just found out: an article changed, and its lastmod did not.
        """
        if entry.listed is not None:
            # It goes by hashes: a silent edit under the same date hides nothing there.
            return False
        stamps = [each.updated_at for each in reading.facts.values() if each.updated_at]
        self._honesty = self._honesty.compare(entry.lastmod, stamps)
        before = self.states.get(entry.url)
        hidden = before is not None and unchanged_by_lastmod(entry.lastmod, before)
        if not (hidden and edited) or self._honesty.contradicted:
            return False
        self._honesty = self._honesty.caught()
        return True

    def articles(self) -> set[str]:
        """Return the entry URLs of the articles that earlier runs found under the start URL."""
        return {
            url
            for url, before in self.states.items()
            if before.verdict == "article" and in_scope(url, self._plan.start)
        }

    def unlisted(self, is_new: Callable[[str], bool]) -> list[Entry]:
        """Return known articles that nothing names any more: only asking tells if they are gone."""
        return [
            Entry(url=url, source="known")
            for url, before in self.states.items()
            if is_new(url) and in_scope(url, self._plan.start) and self._asked_anyway(before)
        ]

    def _asked_anyway(self, before: EntryState) -> bool:
        """Say whether an article is due although nothing names it.

        One that a list with dates named the last time, and no longer does, is asked at once, if
        there was such a list this time too.
        """
        plan, now = self._plan, self._clock()
        if plan.verify == "none" or not before.slug:
            return False
        if plan.verify == "all":
            return True
        if before.verdict == "article":
            return (bool(before.lastmod) and self._dated) or self._is_due(before)
        age = now - before.checked_at
        return age >= plan.verify_within or ask_again(
            before.verdict,
            before.attempts,
            age,
            gone=self._is_gone(before.slug),
            gone_after=plan.gone_after,
        )

    def _is_due(self, before: EntryState) -> bool:
        lately = self._lately.get(before.slug)
        return is_due(before, self._clock(), self._plan.verify_within, lately)
