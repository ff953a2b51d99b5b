"""Which URLs the user wants: ``include`` and ``exclude`` globs. Pure.

A glob is matched against the URL's path and query, or against the whole URL where it names a
scheme; ``*`` matches slashes too, as shells' case patterns do.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from msgspec import Struct


class Selection(Struct, frozen=True, kw_only=True):
    """A URL is wanted when it matches an ``include`` (or there is none) and no ``exclude``."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def wants(self, url: str) -> bool:
        """Say whether the user wants ``url``."""
        if not self.include and not self.exclude:
            return True
        return (not self.include or _matches(url, self.include)) and not _matches(url, self.exclude)


def _matches(url: str, globs: Iterable[str]) -> bool:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return any(fnmatchcase(url if "://" in glob else path, glob) for glob in globs)
