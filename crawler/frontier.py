"""The frontier: which entry URLs of a site are waiting, in hand, or settled. Pure.

A state machine whose legal moves stand in one table; it knows no clock and no network. Entries
come out in the order they went in, with two exceptions. What pages and llms.txt link to comes out
among what lists name, since the pages of a list lead to each other, one after the other. Text
twins (``/a.md`` beside ``/a``): one whose page is known rides with that page's entry as a link;
the others wait until every page was tried.

A million URLs of usual length take some 90 MB: no object an entry, see `packed`. Past its bounds
the frontier takes no more in and counts what it left out; links on pages have the narrower bound.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal

from msgspec import Struct, structs

from crawler.declared import bare_key, is_twin, pages_of, twins_of
from crawler.facts import Link
from crawler.listed import Listed
from crawler.packed import NameSet, PackedStrings
from storage.model import Record

EntryPhase = Literal["waiting", "in-hand", "settled"]

#: From where each phase may be entered; None: from nowhere, the URL is new.
MOVES: dict[EntryPhase, tuple[EntryPhase | None, ...]] = {
    "waiting": (None,),
    "in-hand": ("waiting", None),
    "settled": ("in-hand", "waiting", None),
}

# One byte an entry says where it stands; what waits is found by a byte of its kind.
_PAGE_WAITS: Final = b"p"
_LINK_WAITS: Final = b"l"
_TWIN_WAITS: Final = b"t"
_IN_HAND: Final = b"h"
_SETTLED: Final = b"s"
_PHASES: dict[int, EntryPhase] = {
    _PAGE_WAITS[0]: "waiting",
    _LINK_WAITS[0]: "waiting",
    _TWIN_WAITS[0]: "waiting",
    _IN_HAND[0]: "in-hand",
    _SETTLED[0]: "settled",
}
# Flags of an entry, a bit each.
_IS_PAGE: Final = 1
_NAMED: Final = 2
_IN_SITEMAP: Final = 4
_IS_ARTICLE: Final = 8

#: Sources of plain links: these may lead to pages of a list.
_LINKING: Final = {"link", "llms-txt"}
#: One entry in so many is a plain link while others wait: few enough that articles come first,
#: enough that of a list, each of whose pages is named by the one before, the last is no straggler.
_LINK_AMONG: Final = 4

#: Links deep that one byte holds; config.toml allows fewer.
_DEEPEST: Final = 255


class Entry(Struct, frozen=True, kw_only=True):
    """A URL by which an article may be entered, and what its source said of it.

    ``lastmod`` is the sitemap's own string; ``depth`` counts plain links from the scope URL;
    ``named`` is true where a list vouches for it being an article; ``listed`` is what another
    mirror has of it.
    """

    url: str
    source: str = ""
    lastmod: str = ""
    depth: int = 0
    named: bool = False
    hint: Record | None = None
    links: tuple[Link, ...] = ()
    listed: Listed | None = None


class Room(Struct, frozen=True, kw_only=True):
    """How much a frontier holds: ``size`` bytes in all, ``links`` waiting that only pages name."""

    size: int = 128 * 2**20
    links: int = 100_000


class IllegalMoveError(RuntimeError):
    """A move that the table forbids: a bug in the caller, never a site's fault."""


class Frontier:
    """Entries of one site. Mutable state: what is known of each URL, by its number.

    ``left_out`` counts what there was no room for: the entries of lists, the links of pages.
    """

    def __init__(self, room: Room | None = None) -> None:
        self._room = room or Room()
        self._strings = PackedStrings()
        # What came with an article and was no entry before: of most sites three in four URLs.
        self._came_along = NameSet()
        self._phases = bytearray()
        self._flags = bytearray()
        self._depths = bytearray()
        self._sources = bytearray()
        self._names: list[str] = [Entry(url="").source]
        self._more: dict[int, Entry] = {}
        self._next_of = {_PAGE_WAITS: 0, _LINK_WAITS: 0}
        self._next_twin = 0
        self._taken = 0
        self._counts: Counter[EntryPhase] = Counter()
        self._links = 0
        self._twins = 0
        # Those that a list names may wait for their pages to the end of the run.
        self._bare_keys = NameSet()
        self._twins_in_hand: set[int] = set()
        self.left_out: Counter[Literal["listed", "linked"]] = Counter()

    def add(self, entries: Iterable[Entry]) -> int:
        """Take new entries in; returns how many were not known, text twins not counted.

        What a list says of a URL is added to one that waits and came as a mere link.
        """
        added = 0
        for entry in entries:
            number = self._strings.find(entry.url)
            if number is not None:
                self._listed(number, entry)
            elif entry.url in self._came_along:
                self._listed_late(entry)
            elif self._has_room(entry):
                added += self._enqueue(entry)
            else:
                self.left_out["linked" if entry.source == "link" else "listed"] += 1
        return added

    def is_new(self, url: str) -> bool:
        """Say whether ``url`` was never added, claimed or settled."""
        return self._strings.find(url) is None and url not in self._came_along

    def in_sitemap(self, url: str) -> bool:
        """Say whether a sitemap named ``url``."""
        number = self._strings.find(url)
        return number is not None and bool(self._flags[number] & _IN_SITEMAP)

    def found(self, url: str) -> None:
        """Note that ``url``, an entry, led to an article."""
        number = self._strings.find(url)
        if number is not None:
            self._flags[number] |= _IS_ARTICLE

    def articles(self) -> Iterator[str]:
        """Give the entries that led to an article, one by one: there may be a million."""
        for number, flags in enumerate(self._flags):
            if flags & _IS_ARTICLE:
                yield self._strings.pair(number)[0]

    def take(self) -> Entry | None:
        """Return the next entry and hold it in hand; None when none may be taken now."""
        number = self._next()
        if number >= 0:
            self._taken += 1
            entry = self._take(number)
            twins = self._riding(entry.url) if self._may_have_twins(entry.url) else ()
            return structs.replace(entry, links=entry.links + twins) if twins else entry
        while self._twins and self.in_hand == len(self._twins_in_hand):
            number = self._phases.find(_TWIN_WAITS, self._next_twin)
            self._next_twin = number + 1
            if self._has_page(self._strings.pair(number)[0]):
                self._move(number, "settled")
                continue
            self._twins_in_hand.add(number)
            return self._take(number)
        return None

    def upcoming(self, most: int) -> list[str]:
        """Return the URLs of the ``most`` pages that `take` will give next, without taking them."""
        found: list[str] = []
        for kind, first in self._next_of.items():
            number = self._phases.find(kind, first)
            while number >= 0 and len(found) < most:
                found.append(self._strings.pair(number)[0])
                number = self._phases.find(kind, number + 1)
        return found

    def _next(self) -> int:
        """Return the number of the page whose turn it is, -1 where none waits."""
        kinds = (_PAGE_WAITS, _LINK_WAITS)
        for kind in reversed(kinds) if not (self._taken + 1) % _LINK_AMONG else kinds:
            number = self._phases.find(kind, self._next_of[kind])
            self._next_of[kind] = number + 1 if number >= 0 else len(self._phases)
            if number >= 0:
                return number
        return -1

    def claim(self, url: str) -> bool:
        """Hold ``url`` in hand out of turn; False where somebody has it or it is settled."""
        number = self._strings.find(url)
        if number is not None and self._phase(number) != "waiting":
            return False
        if number is None:
            if url in self._came_along:
                return False
            number = self._new(url)
        self._more.pop(number, None)
        self._move(number, "in-hand")
        self._flags[number] |= 0 if is_twin(url) else _IS_PAGE
        return True

    def settle(self, url: str) -> None:
        """Mark ``url`` as dealt with, whether it was entered by it or came with an article."""
        number = self._strings.find(url)
        if number is None:
            # A new URL may be settled at once (see MOVES).
            self._came_along.add(url)
        elif self._phases[number] != _SETTLED[0]:
            self._more.pop(number, None)
            self._move(number, "settled")

    @property
    def in_hand(self) -> int:
        """How many entries are in hand."""
        return self._counts["in-hand"]

    @property
    def waiting(self) -> int:
        """How many entries wait for their turn."""
        return self._counts["waiting"]

    @property
    def size(self) -> int:
        """Bytes taken, but for what records lists gave."""
        marks = self._came_along.size + self._bare_keys.size
        return self._strings.size + 4 * len(self._phases) + marks

    def _has_room(self, entry: Entry) -> bool:
        if entry.source == "link" and self._links >= self._room.links:
            return False
        return self.size < self._room.size

    def _enqueue(self, entry: Entry) -> bool:
        """Let a new entry wait; returns whether it is a page, and no text twin of one."""
        number = self._new(
            entry.url,
            entry.lastmod,
            depth=min(entry.depth, _DEEPEST),
            source=self._source(entry.source),
            flags=(_NAMED * entry.named) | (_IN_SITEMAP * (entry.source == "sitemap")),
        )
        if entry.hint is not None or entry.links or entry.listed is not None:
            self._more[number] = entry
        page = entry.named or not is_twin(entry.url)
        self._move(number, "waiting")
        if not page:
            self._phases[number] = _TWIN_WAITS[0]
            self._twins += 1
            self._bare_keys.add(bare_key(entry.url))
        self._flags[number] |= _IS_PAGE if page else 0
        return page

    def _new(
        self, url: str, lastmod: str = "", *, depth: int = 0, source: int = 0, flags: int = 0
    ) -> int:
        """Give a new URL its number; it has no phase yet."""
        number = self._strings.add(url, lastmod)
        self._phases.append(0)
        self._depths.append(depth)
        self._sources.append(source)
        self._flags.append(flags)
        return number

    def _listed(self, number: int, listed: Entry) -> None:
        """Take in what a list says of a URL that is known."""
        if listed.source == "link":
            return
        self._flags[number] |= _IN_SITEMAP if listed.source == "sitemap" else 0
        if self._phase(number) != "waiting":
            return
        if self._names[self._sources[number]] == "link":
            self._sources[number] = self._source(listed.source)
            self._links -= 1
        if self._phases[number] == _LINK_WAITS[0] and listed.source not in _LINKING:
            self._phases[number] = _PAGE_WAITS[0]
            self._next_of[_PAGE_WAITS] = min(self._next_of[_PAGE_WAITS], number)
        self._depths[number] = min(self._depths[number], listed.depth)
        if listed.lastmod and not self._strings.pair(number)[1]:
            self._strings.replace(number, listed.lastmod)

    def _listed_late(self, listed: Entry) -> None:
        """Take in what a list says of a URL that came along with an article."""
        if listed.source == "sitemap":
            number = self._new(listed.url, flags=_IN_SITEMAP)
            self._phases[number] = _SETTLED[0]

    def _source(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name)

    def _phase(self, number: int) -> EntryPhase | None:
        return _PHASES.get(self._phases[number])

    def _take(self, number: int) -> Entry:
        self._move(number, "in-hand")
        url, lastmod = self._strings.pair(number)
        more = self._more.pop(number, None)
        return Entry(
            url=url,
            source=self._names[self._sources[number]],
            lastmod=lastmod,
            depth=self._depths[number],
            named=bool(self._flags[number] & _NAMED),
            hint=more.hint if more else None,
            links=more.links if more else (),
            listed=more.listed if more else None,
        )

    def _may_have_twins(self, page: str) -> bool:
        return self._twins > 0 and bare_key(page) in self._bare_keys

    def _riding(self, page: str) -> tuple[Link, ...]:
        """Settle the text twins of ``page`` that wait; return them as links, as they came."""
        numbers = [self._strings.find(url) for url in twins_of(page)]
        found = sorted(n for n in numbers if n is not None and self._phases[n] == _TWIN_WAITS[0])
        for number in found:
            self._move(number, "settled")
        return tuple(
            Link(
                rel="alternate",
                url=self._strings.pair(number)[0],
                declared_by=self._names[self._sources[number]],
            )
            for number in found
        )

    def _has_page(self, twin: str) -> bool:
        """Say whether the page of a text twin is or was an entry."""
        numbers = (self._strings.find(url) for url in pages_of(twin))
        return any(n is not None and self._flags[n] & _IS_PAGE for n in numbers)

    def _move(self, number: int, phase: EntryPhase) -> None:
        before = self._phase(number)
        if before not in MOVES[phase]:
            url = self._strings.pair(number)[0]
            raise IllegalMoveError(f"{url} cannot go from {before} to {phase}")
        link = self._names[self._sources[number]] == "link"
        self._twins -= self._phases[number] == _TWIN_WAITS[0]
        self._links += link * ((phase == "waiting") - (before == "waiting"))
        linked = self._names[self._sources[number]] in _LINKING
        waits = _LINK_WAITS if linked else _PAGE_WAITS
        code = {"waiting": waits, "in-hand": _IN_HAND, "settled": _SETTLED}[phase]
        self._phases[number] = code[0]
        if phase == "settled":
            self._twins_in_hand.discard(number)
        self._counts[phase] += 1
        if before is not None:
            self._counts[before] -= 1
