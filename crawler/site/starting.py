"""What each URL that the user named is: one article, or the page where a site or section begins.

A URL is read once for that; what was read is where its site's run starts. Nothing is run here.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from crawler.article.copies import CopyFailed
from crawler.article.format_set import Known
from crawler.article.ownership import Sites
from crawler.article.reading import ArticleReader, NoArticle, Reading
from crawler.discovery.memory import Memory
from crawler.discovery.records import RecordHint
from crawler.frontier import Entry
from crawler.transport.faults import HostResting
from crawler.urls import host_key, in_scope, origin
from storage.model import Site


class Start(Struct, frozen=True, kw_only=True):
    """Where a run over ``site`` starts.

    ``seen`` is the document at ``url``, None where there is none to go from, and then ``why``;
    with ``discover`` the site's lists and links are read, else only ``entries``.
    """

    site: Site
    url: str
    discover: bool
    entries: tuple[Entry, ...] = ()
    seen: Reading | NoArticle | None = None
    why: str = ""


class NoStart(Exception):
    """A URL from which nothing can be begun; the message says why."""


class Scout:
    """Looks at start URLs. Mutable state: where they led."""

    def __init__(
        self,
        sites: Sites,
        reader_for: Callable[[str, Callable[[str], bool]], ArticleReader],
        memory_of: Callable[[Site, str], Awaitable[Memory]],
        leads: dict[str, str],
    ) -> None:
        """``reader_for`` makes the reader for a start URL, given which URLs are its site's.

        ``memory_of`` gives what is remembered of a site, for a run from a start URL; ``leads`` are
        the URLs on other hosts that start URLs led to, and learns of new ones.
        """
        self._sites = sites
        self._reader_for = reader_for
        self._memory_of = memory_of
        self._leads = leads

    def listed(self, url: str, hints: Iterable[RecordHint]) -> Start:
        """Start from a records list: its entries are the articles, and nothing is discovered."""
        entries = tuple(
            Entry(url=hint.url, source="records-file", named=True, hint=hint.record)
            for hint in hints
        )
        site = self._sites.owner_or_new(url, url)
        return Start(site=site, url=url, discover=False, entries=entries)

    async def look(self, url: str) -> Reading | NoArticle | Start | str:
        """Read the document at ``url``; a text says why there is none, though its host answers.

        Where a site's lists are enough nothing is read, and the start is returned. Raises NoStart
        where the host can't be asked or forbids it.
        """
        place = self._leads.get(url, url)
        owner = self._sites.owner(place)
        if owner is not None and (await self._memory_of(owner, url)).light(place):
            return Start(site=owner, url=place, discover=True)
        # Wherever the user's own URL leads is what the user asked for.
        reader = self._reader_for(url, lambda _: True)
        try:
            return await reader.read(Entry(url=url, source="scope"), Known())
        except CopyFailed as failure:
            if not failure.status:
                raise NoStart(failure.why) from failure
            return failure.why
        except HostResting as resting:
            raise NoStart(resting.sentence) from resting

    def start(self, url: str, seen: Reading | NoArticle | Start | str) -> Start:
        """Say where to start from ``url``, given what was seen there.

        To be called for outer scopes before the sections inside them.
        """
        if isinstance(seen, Start):
            return seen
        if isinstance(seen, str):
            # The lists of a site may be there although nothing is at its start URL.
            site = self._sites.owner_or_new(url, url)
            return Start(site=site, url=url, discover=True, why=seen)
        if isinstance(seen, Reading):
            site = self._sites.owner_or_new(seen.url, f"{origin(seen.url)}/")
            return Start(site=site, url=url, discover=False, seen=seen)
        place = seen.url if origin(seen.url) != origin(url) else url
        self._leads.pop(url, None)
        if place != url:
            self._leads[url] = place
        return Start(
            site=self._sites.owner_or_new(place, place), url=place, discover=True, seen=seen
        )


def unsent_headers(start: Start, headers: Iterable[str], named: Iterable[str]) -> str:
    """Say that a site goes without its private header fields, since its URL led elsewhere; or "".

    They go to the hosts and ports of the URLs that the user ``named``, and to no other: not to the
    https of an http URL either, since what is on another port may be somebody else's.
    """
    place = start.seen.url if start.seen is not None else start.url
    fields = ", ".join(sorted(headers))
    if not fields or host_key(place) in {host_key(url) for url in named}:
        return ""
    return (
        f"its URL leads to {place}, where its private header fields ({fields}) are not sent: they "
        f"go to the host and port of the URL as it was given and to no other; write "
        f"{origin(place)} there"
    )


def by_owner(
    urls: Iterable[str], hints: Iterable[RecordHint]
) -> tuple[dict[str, list[RecordHint]], list[RecordHint]]:
    """Give each start URL the records under it; the second value are those under none."""
    wanted: dict[str, list[RecordHint]] = {url: [] for url in urls}
    outside = []
    for hint in hints:
        owner = max((url for url in wanted if in_scope(hint.url, url)), key=len, default=None)
        if owner is None:
            outside.append(hint)
        else:
            wanted[owner].append(hint)
    return wanted, outside
