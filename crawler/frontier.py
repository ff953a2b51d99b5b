"""The frontier: which entry URLs of a site are waiting, in hand, or settled. Pure.

A state machine whose legal moves stand in one table; it knows no clock and no network. Entries
come out in the order they went in, except text twins (``/a.md`` beside ``/a``): one whose page
is known rides with that page's entry as a link; the others wait until every page was tried.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, structs

from crawler.declared import is_twin, twin_key
from crawler.facts import Link
from storage.model import Record

EntryPhase = Literal["waiting", "in-hand", "settled"]

#: From where each phase may be entered; None: from nowhere, the URL is new.
MOVES: dict[EntryPhase, tuple[EntryPhase | None, ...]] = {
    "waiting": (None,),
    "in-hand": ("waiting", None),
    "settled": ("in-hand", "waiting", None),
}


class Entry(Struct, frozen=True, kw_only=True):
    """A URL by which an article may be entered, and what its source said of it.

    ``lastmod`` is the sitemap's own string; ``depth`` counts plain links from the scope URL;
    ``named`` is true where a records list vouches for it being an article.
    """

    url: str
    source: str = ""
    lastmod: str = ""
    depth: int = 0
    named: bool = False
    hint: Record | None = None
    links: tuple[Link, ...] = ()


class IllegalMoveError(RuntimeError):
    """A move that the table forbids: a bug in the caller, never a site's fault."""


class Frontier:
    """Entries of one site. Mutable state: each URL's phase and the queues of those that wait."""

    def __init__(self) -> None:
        self._phases: dict[str, EntryPhase] = {}
        self._queue: deque[str] = deque()
        self._twins: deque[str] = deque()
        self._entries: dict[str, Entry] = {}
        self._twins_of: dict[str, tuple[Link, ...]] = {}
        self._pages: set[str] = set()
        self._counts: Counter[EntryPhase] = Counter()
        self._twins_in_hand: set[str] = set()

    def add(self, entries: Iterable[Entry]) -> int:
        """Take new entries in; returns how many were not known, text twins not counted.

        What a list says of a URL is added to one that waits and came as a mere link.
        """
        added = 0
        for entry in entries:
            if entry.url not in self._phases:
                added += self._enqueue(entry)
            elif entry.source != "link" and self._phases[entry.url] == "waiting":
                self._entries[entry.url] = _told(self._entries[entry.url], entry)
        return added

    def is_new(self, url: str) -> bool:
        """Say whether ``url`` was never added, claimed or settled."""
        return url not in self._phases

    def take(self) -> Entry | None:
        """Return the next entry and hold it in hand; None when none may be taken now."""
        while self._queue:
            url = self._queue.popleft()
            if self._phases[url] == "waiting":
                entry = self._take(url)
                twins = self._twins_of.pop(twin_key(url), ())
                return structs.replace(entry, links=entry.links + twins) if twins else entry
        while self._twins and self.in_hand == len(self._twins_in_hand):
            url = self._twins.popleft()
            if self._phases[url] != "waiting":
                continue
            if twin_key(url) in self._pages:
                self.settle(url)
                continue
            self._twins_in_hand.add(url)
            return self._take(url)
        return None

    def claim(self, url: str) -> bool:
        """Hold ``url`` in hand out of turn; False where somebody has it or it is settled."""
        if self._phases.get(url) in ("in-hand", "settled"):
            return False
        self._entries.pop(url, None)
        self._move(url, "in-hand")
        if not is_twin(url):
            self._pages.add(twin_key(url))
        return True

    def settle(self, url: str) -> None:
        """Mark ``url`` as dealt with, whether it was entered by it or came with an article."""
        if self._phases.get(url) != "settled":
            self._entries.pop(url, None)
            self._move(url, "settled")

    @property
    def in_hand(self) -> int:
        """How many entries are in hand."""
        return self._counts["in-hand"]

    @property
    def waiting(self) -> int:
        """How many entries wait for their turn."""
        return self._counts["waiting"]

    def _enqueue(self, entry: Entry) -> bool:
        """Let a new entry wait; returns whether it is a page, and no text twin of one."""
        url = entry.url
        self._move(url, "waiting")
        self._entries[url] = entry
        if not is_twin(url) or entry.named:
            self._pages.add(twin_key(url))
            self._queue.append(url)
            return True
        self._twins.append(url)
        link = Link(rel="alternate", url=url, declared_by=entry.source)
        key = twin_key(url)
        self._twins_of[key] = (*self._twins_of.get(key, ()), link)
        return False

    def _take(self, url: str) -> Entry:
        self._move(url, "in-hand")
        return self._entries.pop(url)

    def _move(self, url: str, phase: EntryPhase) -> None:
        before = self._phases.get(url)
        if before not in MOVES[phase]:
            raise IllegalMoveError(f"{url} cannot go from {before} to {phase}")
        self._phases[url] = phase
        self._twins_in_hand -= {url} if phase == "settled" else set()
        self._counts[phase] += 1
        if before is not None:
            self._counts[before] -= 1


def _told(entry: Entry, listed: Entry) -> Entry:
    source = listed.source if entry.source == "link" else entry.source
    depth = min(entry.depth, listed.depth)
    return structs.replace(
        entry, lastmod=entry.lastmod or listed.lastmod, source=source, depth=depth
    )
