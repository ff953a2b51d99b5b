"""Paths that lead nowhere: calendars, facets, session ids. Pure.

A path pattern that gave many pages, no article and no new link to follow is dropped, and said.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import parse_qsl, urlsplit

#: Barren pages of one pattern after which it is dropped.
BARREN_PAGES = 50
_NUMBERS = re.compile(r"\d+")
#: Hexadecimal or mixed tokens as session ids are; words of that length always lack digits.
_TOKEN = re.compile(r"(?=[^/]*\d)[0-9A-Za-z_-]{16,}")


def pattern(url: str) -> str:
    """Return the shape of ``url``: numbers and tokens blurred, query values dropped."""
    parts = urlsplit(url)
    path = _NUMBERS.sub("0", _TOKEN.sub("~", parts.path))
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{path}?{'&'.join(names)}" if names else path


class Traps:
    """Counts barren pages by pattern. Mutable state: those counts."""

    def __init__(self) -> None:
        self._barren: Counter[str] = Counter()

    def saw(self, url: str, *, fruitful: bool) -> bool:
        """Note a page; returns True when its pattern is dropped by it, to be said once."""
        shape = pattern(url)
        if fruitful:
            self._barren[shape] = min(self._barren[shape], 0) - BARREN_PAGES
            return False
        self._barren[shape] += 1
        return self._barren[shape] == BARREN_PAGES

    def dropped(self, url: str) -> bool:
        """Say whether pages of this shape are no longer asked for."""
        return self._barren[pattern(url)] >= BARREN_PAGES
