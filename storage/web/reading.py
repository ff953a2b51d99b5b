"""What a page's function reads: the archive, open for one thread, and what is kept in memory.

An index that was made again, and segments that were written anew (prune, forget), are seen: the
archive is opened again where its index is another file, or where bytes are not what the index says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from threading import Lock
from typing import Generic, TypeVar

from storage.archive import Archive
from storage.layout import INDEX, Places
from storage.search.fulltext import FOLLOWED, Texts
from storage.search.opening import to_ask
from storage.web.catalogue import Catalogue

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

#: Which file it is that has a name: its device and inode; None: there is none yet.
FileId = tuple[int, int] | None
#: What is no file is never another one.
_IN_DATABASE = (0, 0)


class RecentAnswers(Generic[K, V]):
    """The latest so many answers, shared by threads. State: the answers, and their lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """Return what is kept under ``key``, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: K, value: V) -> V:
        """Keep ``value``, in the place of what was least used, and return it."""
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return value


#: By manifest record: how many words a snapshot took and added, None: no words are known.
Sizes = RecentAnswers[str, tuple[tuple[int, int] | None]]
#: Parts of pages that many readers ask for, by what they are of and how far the archive then was.
Parts = RecentAnswers[tuple[str, ...], bytes]
#: Such parts in memory: some ten KB each.
MOST_PARTS = 200
#: Snapshots whose size of change stays in memory: some hundred bytes each.
MOST_SIZES = 50_000


class ThreadArchive:
    """One thread's archive. State: archive, catalogue and texts, each with the file it is of."""

    def __init__(
        self,
        root: Path,
        catalogue: Callable[[], Path],
        texts: Callable[[], Path | Places | None],
        sizes: Sizes,
        parts: Parts,
        *,
        private: bool,
    ) -> None:
        """``catalogue`` and ``texts`` tell what is kept now; the latter may be none yet.

        ``private``: such snapshots too.
        """
        self.root = root
        self.sizes = sizes
        self._parts = parts
        self.private = private
        self._path = catalogue
        self._catalogue: Catalogue | None = None
        self._listed: FileId = None
        self._texts = texts
        self._fulltext: Texts | None = None
        self._text_file: FileId = None
        self._archive: Archive | None = None
        self._index: FileId = None

    @property
    def archive(self) -> Archive:
        """The archive, as its index file stands now. Raises ArchiveError."""
        now = index_file(self.root)
        if self._archive is not None and now != self._index:
            self.close()
        if self._archive is None:
            self._archive, self._index = Archive.open(self.root), now
        return self._archive

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue of the articles' newest snapshots."""
        path = self._path()
        now = file_id(path)
        if self._catalogue is not None and now != self._listed:
            self._catalogue.close()
            self._catalogue = None
        if self._catalogue is None:
            self._catalogue, self._listed = Catalogue.at(path), now
        return self._catalogue

    @property
    def fulltext(self) -> Texts | None:
        """The full-text index, None while it is being made. Raises ArchiveError."""
        place = self._texts()
        now = file_id(place) if isinstance(place, Path) else _IN_DATABASE
        if self._fulltext is not None and now != self._text_file:
            self._fulltext.close()
            self._fulltext = None
        if self._fulltext is None and place is not None and now is not None:
            self._fulltext, self._text_file = to_ask(place), now
        return self._fulltext

    def part(self, *of: str, made: Callable[[], bytes]) -> bytes:
        """Return a part of a page, ``made`` anew when the index or the catalogue has moved on."""
        index = self.archive.index
        last = [
            index.ask_one("SELECT id FROM", table, "ORDER BY n DESC")
            for table in ("snapshots", "events")
        ]
        far = [str(row["id"]) if row else "" for row in last]
        listed = (str(self.catalogue.followed("snapshots")), str(self._listed))
        key = (*of, str(self._index), *far, *listed)
        known = self._parts.get(key)
        return self._parts.keep(key, made()) if known is None else known

    def read_to(self) -> str:
        """Return how far the texts are read that a search looks in."""
        texts = self.fulltext
        if texts is None:
            return ""
        return f"{self._text_file} {[texts.read_to(table) for table in FOLLOWED]}"

    def behind(self) -> int:
        """Return how many snapshots lists do not know yet: they are catalogued after the start."""
        row = self.archive.index.ask_one("SELECT n FROM snapshots ORDER BY n DESC")
        return max((row["n"] if row else 0) - self.catalogue.followed("snapshots")[0], 0)

    def close(self) -> None:
        """Close what is open; it is opened again when it is asked for."""
        if self._archive is not None:
            self._archive.close()
            self._archive = None
        if self._catalogue is not None:
            self._catalogue.close()
            self._catalogue = None
        if self._fulltext is not None:
            self._fulltext.close()
            self._fulltext = None


def index_file(root: Path) -> FileId:
    """Return which file is the index of the mirror at ``root`` now."""
    return file_id(root / INDEX)


def file_id(path: Path) -> FileId:
    """Return which file stands at ``path`` now."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
