"""Taking an article out of what is derived or kept aside: plain files, run logs, lost bytes.

Each is looked through for the article's URLs and titles. What is rewritten is put in place whole.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from storage.errors import ArchiveError, os_errors
from storage.files import is_file_name
from storage.index.beside import remove
from storage.index.index import Index
from storage.layout import CATALOGUE, FILES, FULLTEXT, LOST, RUNS, durably
from storage.plain_files import PART, mark_of_folder
from storage.segments.recovery import find_next_record
from storage.segments.source import FileSource
from storage.warc_read import inflate

#: Decoded bytes of a lost record that are looked through: more than any page of words has.
_MOST_LOOKED = 64 << 20
#: A URL that goes on is another one.
_URL_ENDS = rb"(?![A-Za-z0-9_/.~%?=&-])"


class Traces(Protocol):
    """What tells of an article: URLs, titles and other words of its own, names under files/."""

    @property
    def slug(self) -> str:
        """Its slug."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL that led there."""

    @property
    def words(self) -> tuple[str, ...]:
        """What no other article says."""

    @property
    def files(self) -> tuple[str, ...]:
        """Names under files/."""


def forget_files(root: Path, index: Index, gone: Traces) -> int:
    """Remove the article's plain files, and return how many there were.

    Names that others have too are written again by the next run: owed before the first of them
    goes. Raises ArchiveError.
    """
    if any((root / FILES / name).exists() for name in filter(is_file_name, gone.files)):
        index.set_note(mark_of_folder(root), "0")
    return scrub_files(root, gone)


def scrub_files(root: Path, gone: Traces) -> int:
    """Remove the article's plain files, and folders left empty; return how many there were.

    A name that another article has by now is removed as well: the next run writes what is its own.
    """
    folder = root / FILES
    count = 0
    with os_errors(f"removing files of {gone.slug}"):
        for name in filter(is_file_name, gone.files):
            path = folder / name
            if not _is_inside(folder, path):
                continue
            count += path.exists()
            path.unlink(missing_ok=True)
            _remove_empty(path.parent, folder)
    return count


def scrub_beside(root: Path) -> None:
    """Remove full-text index and catalogue: they are made again without the article, when asked.

    And what a killed run left of files that it was writing.
    """
    for name in (FULLTEXT, CATALOGUE):
        remove(root / name)
    shutil.rmtree(root / FILES / PART, ignore_errors=True)


def _is_inside(folder: Path, path: Path) -> bool:
    """Tell whether no link leads from the folder to the file."""
    above = path.parent
    while above != folder:
        if above.is_symlink() or not above.is_dir():
            return False
        above = above.parent
    return not folder.is_symlink()


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def scrub_runs(root: Path, gone: Traces, being_written: Collection[Path] = ()) -> int:
    """Remove the lines of run logs that tell of the article; return how many.

    Those that are ``being_written`` are left as they are.
    """
    telling = pattern(gone)
    count = 0
    for path in sorted(set((root / RUNS).glob("*.jsonl")).difference(being_written)):
        with os_errors(f"rewriting {path}"):
            with path.open("rb") as file:
                wanted = sum(1 for line in file if telling.search(line))
            if not wanted:
                continue
            count += wanted
            part = path.with_name(f".{path.name}.part")
            with path.open("rb") as old, durably(part) as new:
                new.writelines(line for line in old if not telling.search(line))
            part.replace(path)
    return count


def scrub_lost(root: Path, gone: Traces) -> int:
    """Remove the files under lost/ that hold a record of the article's; return how many."""
    telling = pattern(gone)
    count = 0
    for path in sorted((root / LOST).glob("*/*")):
        if any(telling.search(record) for record in _records(path)):
            with os_errors(f"removing {path}"):
                path.unlink()
            count += 1
    return count


def pattern(gone: Traces) -> re.Pattern[bytes]:
    """Return what any text about the article has: a URL, a title, or both as JSON writes them."""
    urls = {each for url in gone.urls for each in _spelled(url)}
    words = {each for word in gone.words for each in _spelled(word)}
    found = [re.escape(url) + _URL_ENDS for url in sorted(urls)] + [
        re.escape(w) for w in sorted(words)
    ]
    return re.compile(b"|".join(found) or rb"(?!)")


def _spelled(text: str) -> Iterable[bytes]:
    return {text.encode(errors="surrogateescape"), msgspec.json.encode(text)[1:-1]}


def _records(path: Path) -> Iterator[bytes]:
    """Give what can be decoded of each record in a file of lost bytes, whole or not."""
    try:
        with FileSource(path, path.name) as source:
            at: int | None = 0
            while at is not None and at < source.size:
                member = inflate(source.chunks(at, source.size), keep=_MOST_LOOKED)
                yield member.opening
                at = find_next_record(source, at + 1)
    except ArchiveError:
        return
