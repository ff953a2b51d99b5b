"""Reading what another mirror lists (ResourceSync): all of it at first, then what changed there.

Which of its documents are read, and how far its changes are known by then; having them is
`documents`'s, their words are `resourcesync`'s. Entries are given a document at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

from crawler.discovery.documents import Documents
from crawler.discovery.resourcesync import (
    Listing,
    articles,
    parse_resourcesync,
)
from crawler.facts import Malformed
from crawler.frontier import Entry
from crawler.listed import Listed, Resource
from storage.times import format_utc, parse_rfc3339

#: The source of entries from a Change List: unlike a sitemap it names only some of the articles.
CHANGES = "changes"
#: A snapshot is listed under the moment it was seen, which may be hours after that: it waited for a
#: bucket, or its worker was killed. What is looked at twice costs no request.
LATE = timedelta(days=1)
#: The earliest moment of a list; subtracting from one before could leave the calendar.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Mirrors:
    """Reads the lists of one mirror. Mutable state: how far each set of its changes is known.

    ``reached`` gives it by the URL of the Change List, as written there.
    """

    def __init__(self, documents: Documents, most: int) -> None:
        """At most ``most`` documents are read."""
        self._documents = documents
        self._most = most
        self.reached: dict[str, str] = {}

    async def listed(self, url: str, known: Mapping[str, str]) -> AsyncIterator[list[Entry]]:
        """Yield what is listed from the Source Description or Capability List at ``url`` on.

        ``known`` is ``reached`` of an earlier run: of a set whose list of changes goes back that
        far, only what changed since then is given.
        """
        first = await self._document(url)
        if first is None:
            return
        sets = [first]
        if first.capability == "description":
            found = [await self._document(each.url) for each in first.items[: self._most]]
            sets = [each for each in found if each is not None]
        for each in sets:
            places = {one.capability: one.url for one in each.items}
            changes, all_of_it = places.get("changelist", ""), places.get("resourcelist", "")
            since = _moment(known.get(changes, ""))
            news = await self._news(changes, since) if since is not None else None
            if news is not None:
                yield [_entry(one, CHANGES) for one in articles(news)]
                continue
            async for part in self._whole(all_of_it, changes):
                yield [_entry(one, "sitemap") for one in articles(part.items)]

    async def _news(self, url: str, since: datetime) -> tuple[Resource, ...] | None:
        """Return what changed since then; None: the list does not go back that far.

        A change shows a little after its moment: some are looked at twice.
        """
        document = await self._document(url)
        begins = _moment(document.since) if document is not None else None
        if document is None or begins is None or begins > since - LATE:
            return None
        dated = [(moment, each) for each in document.items if (moment := _moment(each.at))]
        last = max(dated, key=lambda pair: pair[0], default=None)
        self.reached[url] = last[1].at if last and last[0] > since else format_utc(since)
        return tuple(each for moment, each in dated if moment >= since - LATE)

    async def _whole(self, url: str, changes: str) -> AsyncIterator[Listing]:
        """Yield the parts of the Resource List at ``url``."""
        first = await self._document(url)
        if first is None:
            return
        if changes:
            # What changes while this is read is asked for again.
            self.reached[changes] = first.at
        pages = [each.url for each in first.items if each.capability == "resourcelist"]
        if not pages:
            yield first
        for page in pages:
            # Megabytes that are seldom read again: not worth their room in the memory of a site.
            part = await self._document(page, keep=False)
            if part is not None:
                yield part

    async def _document(self, url: str, *, keep: bool = True) -> Listing | None:
        documents = self._documents
        if not url or url in documents.read:
            return None
        if len(documents.read) >= self._most:
            limit = f"at most {self._most:,} documents are"
            documents.trouble(url, f"left out, and what it lists: {limit}", promised=True)
            documents.whole = False
            return None
        source = await documents.get(url, promised=True)
        if source is None:
            return None
        try:
            document = await asyncio.to_thread(parse_resourcesync, source.body, source.final_url)
        except Malformed as error:
            documents.unreadable(url, f"the list is unreadable: {error}", promised=True)
            return None
        if keep:
            await documents.keep(source)
        return document


def _entry(listed: Listed, source: str) -> Entry:
    return Entry(
        url=listed.url, source=source, lastmod=listed.updated_at, named=True, listed=listed
    )


def no_later(reached: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return moments reached, none after ``now``: a clock ahead there would hide what is new."""
    capped = {}
    for url, written in reached.items():
        moment = _moment(written)
        capped[url] = format_utc(now) if moment is None or moment > now else written
    return capped


def _moment(written: str) -> datetime | None:
    """Return a moment of a list, at the earliest 1970; None for what is none."""
    stamp = parse_rfc3339(written)
    return max(stamp.at, _EPOCH) if stamp is not None else None
