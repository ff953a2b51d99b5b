"""Whether a site's sitemap dates can be believed. Pure.

A site's lastmod counts as proven when at full readings it agreed with the declared update time of
nearly every article, and no verification has contradicted it since.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from storage.model import Stamp
from storage.times import parse_declared, same_moment

#: Share of articles whose lastmod must be the update time that they declare themselves.
PROVEN = 0.95


class Honesty(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a site's lastmod has done: comparisons, those that agreed, and whether it was caught."""

    compared: int = 0
    agreed: int = 0
    contradicted: bool = False

    @property
    def proven(self) -> bool:
        """Whether an unchanged lastmod may stand for an unchanged article."""
        return 0 < PROVEN * self.compared <= self.agreed and not self.contradicted

    def compare(self, lastmod: str, declared: Iterable[Stamp]) -> Honesty:
        """Take one article's lastmod and declared times in; one without either says nothing."""
        stamp, times = parse_declared(lastmod), tuple(declared)
        if stamp is None or not times:
            return self
        agrees = any(same_moment(stamp, each) for each in times)
        return structs.replace(self, compared=self.compared + 1, agreed=self.agreed + agrees)

    def caught(self) -> Honesty:
        """Take in that an article had changed under a lastmod that had not."""
        return structs.replace(self, contradicted=True)
