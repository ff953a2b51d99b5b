"""Pages that say "not here" with status 200: found by their words, and stored for no article. Pure.

Two signs: the words are those that the site shows at a made-up URL, or one and the same text stands
under several entries of a run. What is new and shows no date is held back until its words
have proven to be its own. The room for that is bounded, since a run that is killed has to fetch
again what was held: words that nothing else showed for a while are let go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Generic, TypeVar

from crawler.facts import Facts
from crawler.folding import comparable
from crawler.packed import PackedStrings

T = TypeVar("T")

#: Entries under which one text can't be an article's any more.
SAME_BODIES = 5
#: Readings held back at once: no more than the articles that a site's run has in hand anyway, so
#: that a kill costs a site at most twice as much. A sham that comes more often than one entry in
#: so many is stored for none.
ROOM = 16
#: Characters from which a part of a URL is taken out of a text as an echo of the request; shorter
#: ones are words.
ECHO = 8
WHY = "it answers 200 with the page of what is not there (a soft 404)"


class Shams(Generic[T]):
    """Mutable state: the words of shams, who had which words, and what is held back."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._shams: set[str] = set()
        # The URLs stand one behind the other, with a blank in between.
        self._places = PackedStrings()
        self._held: dict[str, list[T]] = {}
        self._count = 0

    def learn(self, words: str) -> None:
        """Take ``words`` (see `fingerprint`) for those of a page that is not there."""
        if words:
            self._shams.add(words)

    def is_sham(self, words: str) -> bool:
        """Say whether ``words`` are known to be no article's."""
        return words in self._shams

    def count(self, words: str, url: str) -> bool:
        """Note that ``url`` showed ``words``; returns whether that makes them a sham just now.

        URLs that differ by their query are one: sites often show an article under many.
        """
        if not words or words in self._shams:
            return False
        place = url.partition("?")[0]
        known = self.places(words)
        if not known:
            self._places.add(words, place)
            return False
        places = known | {place}
        self._places.put(words, " ".join(places))
        if len(places) < SAME_BODIES:
            return False
        self._shams.add(words)
        return True

    def places(self, words: str) -> set[str]:
        """Return the URLs, without their queries, that showed ``words`` until it was a sham."""
        return set((self._places.get(words) or "").split())

    def hold(self, words: str, item: T) -> list[T]:
        """Hold ``item`` back; returns the items, oldest words first, for which no room is left."""
        self._held.setdefault(words, []).append(item)
        self._count += 1
        out: list[T] = []
        while self._count > self._room:
            # Words seen once are the likeliest to be an article's own.
            oldest = next((w for w, held in self._held.items() if len(held) == 1), None)
            out += self.take(oldest if oldest is not None else next(iter(self._held)))
        return out

    def take(self, words: str) -> list[T]:
        """Give back what is held of ``words``."""
        items = self._held.pop(words, [])
        self._count -= len(items)
        return items

    def rest(self) -> list[T]:
        """Give back everything that is still held."""
        return [item for words in list(self._held) for item in self.take(words)]


def fingerprint(facts: Facts, url: str) -> str:
    """Return what a document says, echoes of its ``url`` left out, as a digest; "" for nothing."""
    text = comparable(f"{facts.title or ''} {facts.words or facts.body or ''}")
    path = url.partition("://")[2].partition("/")[2]
    name = path.rstrip("/").rpartition("/")[2]
    words = text
    # Each echo holds the ones after it: without the last, there is none.
    if name in text:
        for echo in (url, f"/{path}", path, name):
            if len(echo) >= ECHO:
                words = words.replace(echo, "")
        if words != text:
            words = comparable(words)
    return sha256(words.encode("utf-8", "surrogatepass")).hexdigest() if words else ""


def is_dated(facts: Iterable[Facts]) -> bool:
    """Say whether any format states when it was written: error pages don't."""
    return any(each.published_at or each.updated_at for each in facts)


def shown(facts: Mapping[str, Facts]) -> Facts | None:
    """Return the document of an article that people see."""
    return facts.get("html") or next(iter(facts.values()), None)


def made_up(scope: str, run: str) -> str:
    """Return a URL under ``scope`` that no site has, the same within a run."""
    name = sha256(f"{scope} {run}".encode()).hexdigest()[:24]
    return f"{scope.partition('?')[0].rstrip('/')}/{name}"
