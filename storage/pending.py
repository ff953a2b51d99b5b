"""What is safe and not visible yet: batches on their way into the index, and what they settle.

A bucket's batches are spooled one by one and indexed together. Until then the next batch is
numbered and named on top of them, as it would be were they indexed: this is what the index does not
know yet. No clock, no file, no database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from typing import TypeVar

from msgspec import structs

from storage.codings import BytesLike
from storage.files import folded_paths, is_file_name
from storage.groups import Group, after
from storage.index.index import Batch
from storage.index.standing import Article, Standing
from storage.model import Manifest

T = TypeVar("T")


class Pending:
    """State: the batches in order, their manifests by article, names, and bodies at hand."""

    def __init__(self, most_bodies: int) -> None:
        """Keep bodies at hand of the batches that begin before ``most_bodies`` bytes."""
        self.bytes = 0
        self.bodies: dict[str, BytesLike] = {}
        self._most_bodies = most_bodies
        self._batches: list[Batch] = []
        # Groups are looked into where another batch follows: then what they tell is below.
        self._groups: list[Group] = []
        self._manifests: dict[Article, list[Manifest]] = {}
        self._files: dict[tuple[str, str], str] = {}
        self._held: dict[str, bool] = {}

    def __bool__(self) -> bool:
        return bool(self._batches)

    def add(self, batch: Batch, groups: Sequence[Group]) -> None:
        """Take in a batch and the groups that it tells of."""
        self._batches.append(batch)
        at_hand = self.bytes < self._most_bodies
        for group in groups:
            self.bytes += len(group.blob)
            if at_hand:
                self.bodies |= group.bodies
        self._groups += groups

    def batch(self) -> Batch:
        """Return all the batches as one."""
        if len(self._batches) == 1:
            return self._batches[0]
        return Batch(
            rows=_all(batch.rows for batch in self._batches),
            segments=dict(chain.from_iterable(one.segments.items() for one in self._batches)),
            entries=_all(batch.entries for batch in self._batches),
            validators=_all(batch.validators for batch in self._batches),
            memory=_all(batch.memory for batch in self._batches),
        )

    def segments(self) -> list[str]:
        """Name the segments that the batches are in."""
        return list(dict.fromkeys(chain.from_iterable(one.segments for one in self._batches)))

    def standings(self, stored: Mapping[Article, Standing]) -> Mapping[Article, Standing]:
        """Return what articles' next manifests are numbered by, the index having ``stored``."""
        self._look()
        found = dict(stored)
        for article in found.keys() & self._manifests.keys():
            for manifest in self._manifests[article]:
                found[article] = after(found[article], manifest)
        return found

    def files(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return the names under files/ that URLs and formats were given, by both."""
        self._look()
        return {one: self._files[one] for one in wanted if one in self._files}

    def held(self, paths: Collection[str]) -> dict[str, bool]:
        """Return which of some folded paths under files/ are in use: True for a folder."""
        self._look()
        return {path: self._held[path] for path in paths if path in self._held}

    def _look(self) -> None:
        for group in self._groups:
            # Without its text, which is much where articles wait through a long failure.
            manifest = structs.replace(group.manifest, record=None)
            article = (manifest.site, manifest.slug)
            self._manifests.setdefault(article, []).append(manifest)
            for one in manifest.representations:
                if one.file and is_file_name(one.file):
                    self._files.setdefault((one.url, one.format), one.file)
                    file, *folders = folded_paths(one.file)
                    self._held |= {file: False} | dict.fromkeys(folders, True)
        self._groups.clear()


def _all(parts: Iterable[tuple[T, ...]]) -> tuple[T, ...]:
    return tuple(chain.from_iterable(parts))
