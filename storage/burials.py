"""What another machine forgot, taken out of what this folder alone has: files/, lost/, run logs.

Several machines may write one archive. Who forgets an article takes it out of segments and index,
which are everybody's, and leaves a tombstone there; each of the others finds it at its next run's
start, by one question. Whoever forgot it has cleaned its own folder before. Blocking.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from msgspec import Struct

from storage import layout
from storage.files import likely_names
from storage.index.index import Index
from storage.index.reader import Reader
from storage.scrub import forget_files, scrub_lost, scrub_runs

#: What the index notes of a folder, whose name follows: the last tombstone that was heeded.
_HEEDED = "heeded"
_NEW = """
    SELECT n, site, slug, url FROM events WHERE event = 'forgotten' AND n > :heeded ORDER BY n
"""
_URLS = "SELECT name FROM names WHERE site = :site AND slug = :slug AND is_url"


class Buried(Struct, frozen=True, kw_only=True):
    """What is left to know of articles that were forgotten; see scrub.Traces."""

    slug: str
    urls: tuple[str, ...]
    files: tuple[str, ...]
    words: tuple[str, ...] = ()


def heed(root: Path, index: Index, being_written: Collection[Path] = ()) -> tuple[str, ...]:
    """Take out of the folder ``root`` what was forgotten elsewhere; say so where anything was.

    Logs that are ``being_written`` are left: who writes them knows of no article that is forgotten.
    Raises ArchiveError.
    """
    folder = layout.check(root).folder
    if not folder:
        return ()
    key = f"{_HEEDED} {folder}"
    new = index.ask(_NEW, heeded=int(index.note(key) or 0))
    if not new:
        return ()
    urls = {url for row in new for url in _urls(index, row["site"], row["slug"], row["url"])}
    gone = Buried(
        slug=", ".join(row["slug"] for row in new),
        urls=tuple(sorted(urls)),
        files=tuple(sorted({name for url in urls for name in likely_names(url)})),
    )
    files = forget_files(root, index, gone)
    others = scrub_lost(root, gone) + bool(scrub_runs(root, gone, being_written))
    index.set_note(key, str(new[-1]["n"]))
    if not files and not others:
        return ()
    return (f"what was forgotten on another machine went out of {root}: {gone.slug}",)


def _urls(index: Reader, site: str, slug: str, url: str) -> set[str]:
    rows = index.ask(_URLS, site=site, slug=slug)
    return {url, *(row["name"] for row in rows)}
