"""Paths that lead nowhere: calendars, facets, session ids. Pure.

A path pattern that gave many pages, no article and no new link to follow is dropped, and said. So
is a folder that far from the start only leads on within itself, however its paths look.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl

#: Barren pages of one pattern after which it is dropped.
BARREN_PAGES = 50
#: Plain links from the start from which on a page is far: what is worth it is linked from nearer.
FAR = 3
#: Far pages that lead nowhere but on within their folder after which it is dropped: facets of words
#: have no pattern, and eight of them five deep are 37,000 pages.
LOST_PAGES = 300
_NUMBERS = re.compile(r"\d+")
#: Hexadecimal or mixed tokens as session ids are; words of that length always lack digits.
_TOKEN = re.compile(r"[0-9A-Za-z_-]{16,}(?=([^/]*))")
#: What a shape has in place of what was blurred, or left out, of its URL.
_BLURRED = re.compile(r"[0~?]")


def pattern(url: str) -> str:
    """Return the shape of ``url``: numbers and tokens blurred, of its query the names alone."""
    path, _, query = url.partition("://")[2].partition("?")
    path = path[path.find("/") :]
    if _NUMBERS.search(path):
        path = _NUMBERS.sub("0", _TOKEN.sub(_blurred, path))
    given = parse_qsl(query, keep_blank_values=True) if query else []
    names = sorted({_NUMBERS.sub("0", name) for name, _ in given})
    return f"{path}?{'&'.join(names)}" if names else path


def _blurred(found: re.Match[str]) -> str:
    """Blur a token that has a digit, or whose segment has one behind it."""
    return "~" if _NUMBERS.search(found[0] + found[1]) else found[0]


def folder(url: str) -> str:
    """Return the first folder of a URL's path, "" for what stands in none."""
    first, slash, _ = url.partition("?")[0].partition("://")[2].partition("/")[2].partition("/")
    return first if slash else ""


class Traps:
    """Counts barren pages. Mutable state: counts by pattern and by folder, folders of articles."""

    def __init__(self) -> None:
        self._barren: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._good: set[str] = set()

    def saw(self, url: str, *, fruitful: bool) -> bool:
        """Note a page; returns True when its pattern is dropped by it, to be said once."""
        shape = pattern(url)
        if not _BLURRED.search(shape):
            # No other page has that shape: there is nothing to count.
            return False
        if fruitful:
            self._barren[shape] = min(self._barren[shape], 0) - BARREN_PAGES
            return False
        self._barren[shape] += 1
        return self._barren[shape] == BARREN_PAGES

    def found(self, url: str) -> None:
        """Note an article: its folder is none that leads nowhere."""
        self._good.add(folder(url))

    def strayed(self, url: str, depth: int, led_to: Iterable[str]) -> bool:
        """Note a page that is no article; returns True when its folder is dropped by it."""
        own = folder(url)
        if not own or depth < FAR or any(folder(each) != own for each in led_to):
            return False
        self._lost[own] += 1
        return self._lost[own] == LOST_PAGES and own not in self._good

    def dropped(self, url: str) -> bool:
        """Say whether pages of this shape, or in this folder, are no longer asked for."""
        own = folder(url)
        if self._lost.get(own, 0) >= LOST_PAGES and own not in self._good:
            return True
        return self._barren.get(pattern(url), 0) >= BARREN_PAGES
