"""What verifying finds, as values: damage, what is only short, and the sum of it.

A problem names the file, the byte and the article, and says what to do. Two kinds: stored bytes
that are not what was written, and an index that does not say what the segments say; the second is
derived, so that it costs nothing to mend.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

from storage.layout import INDEX
from storage.segments.names import place_of

Kind: TypeAlias = Literal["segment", "index"]
Gap: TypeAlias = Literal["partial", "unverified"]

_ADVICE: dict[Kind, str] = {
    "segment": "bring the file back from a backup, or run `slugline verify --repair`: it keeps the "
    "damaged bytes under lost/ and asks the site for what they held",
    "index": "run `slugline reindex`: it makes the index again from the segments",
}


class Problem(Struct, frozen=True, kw_only=True):
    """Damage, or an index that is wrong. ``offset`` is in bytes of ``file``, None: all of it."""

    kind: Kind
    file: str
    why: str
    offset: int | None = None
    site: str = ""
    slug: str = ""
    url: str = ""

    @property
    def advice(self) -> str:
        """What to do about it, as a sentence."""
        return _ADVICE[self.kind]

    def sentence(self) -> str:
        """Tell it to a person, on one line."""
        place = self.file if self.offset is None else f"{self.file} at byte {self.offset}"
        article = f" ({self.site}/{self.slug})" if self.slug else ""
        return f"{place}{article}: {self.why}"


class Short(Struct, frozen=True, kw_only=True):
    """An article that is stored well and not completely, or not lately compared with its site."""

    kind: Gap
    site: str
    slug: str
    url: str
    why: str


class Passed(Struct, frozen=True, kw_only=True):
    """How far verifying has come: ``bytes`` of ``total``."""

    bytes: int
    total: int


class Report(Struct, frozen=True, kw_only=True):
    """The sum: what was read, what is wrong, what is short.

    ``since``: articles last verified before it count as ``unverified``. ``lost`` are the files
    under lost/ with their bytes, ``unfinished`` the segments with bytes at their ends that a killed
    run left, for the next run to index or cut. ``rewriting`` are the segments that a killed prune,
    forget, compact or repair was about to put in place: until the next run, the index may be of
    the old ones.
    """

    segments: int
    snapshots: int
    events: int
    records: int
    bytes: int
    damaged: int
    index_wrong: int
    partial: int
    unverified: int
    since: datetime
    lost: tuple[tuple[str, int], ...]
    unfinished: tuple[str, ...]
    rewriting: tuple[str, ...] = ()

    @property
    def sound(self) -> bool:
        """True where nothing is damaged; what is short is no damage."""
        return not (self.damaged or self.index_wrong)


class Counts(Struct):
    """What was read so far. Mutable: counts, as a segment is gone through."""

    snapshots: int = 0
    events: int = 0
    records: int = 0

    def add(self, other: Counts) -> None:
        """Count what somebody else read, too."""
        self.snapshots += other.snapshots
        self.events += other.events
        self.records += other.records


Found: TypeAlias = Problem | Short | Passed | Report
Problems: TypeAlias = Iterator[Problem]


def in_segment(name: str, offset: int | None, why: str) -> Problem:
    """Return damage in the segment ``name``, nobody's article known."""
    return Problem(kind="segment", file=place_of(name), offset=offset, why=why)


def in_index(why: str, *, site: str = "", slug: str = "", url: str = "") -> Problem:
    """Return what is wrong with the index."""
    return Problem(kind="index", file=INDEX, why=why, site=site, slug=slug, url=url)
