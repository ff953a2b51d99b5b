"""The full-text index as a server keeps it, on the thread that follows the index.

It is the mirror's own, which every search shares, in its folder or in its database. Where the
mirror can't be written, or where private snapshots are shown, it is a file beside the catalogue,
gone with the process.
"""

from __future__ import annotations

from pathlib import Path

from storage import layout
from storage.archive import Archive
from storage.errors import ArchiveError, ReadOnly, TextIndexUnusable
from storage.index.beside import remove
from storage.index.opening import places_of
from storage.layout import Places
from storage.search.filling import Filler, FulltextFiller
from storage.search.fulltext import Fulltext
from storage.search.opening import opened
from storage.web.reading import FileId, file_id

#: Snapshots read in one step: some hundredths of a second, so that pages need not wait long.
_STEP = 64


class TextKeeper:
    """The text index's keeper. State: the open index, which file it is, and what to search in."""

    def __init__(self, root: Path, folder: Path, *, private: bool) -> None:
        """``folder`` is this process's own."""
        self._own = folder / layout.FULLTEXT
        self._path = self._own if private else root / layout.FULLTEXT
        self._private = private
        self._root = root
        self._shared = None if private else _in_database(root)
        self._filling: Filler | None = None
        self._file: FileId = None
        self._whole: Path | Places | None = None

    def place(self) -> Path | Places | None:
        """Return where to search; None while it is being made for the first time."""
        return self._whole

    def step(self, archive: Archive) -> bool:
        """Read the next snapshots; returns whether there are more. Raises ArchiveError."""
        if archive.index.ask_one("SELECT 1 FROM snapshots") is None:
            return False
        try:
            left = self._open().step(archive, _STEP)
        except ReadOnly:
            self.close()
            self._shared = None
            if not _up_to_date(self._path, archive):
                if self._path == self._own:
                    raise
                self._path, self._whole = self._own, None
                return True
            left = 0
        if not left:
            self._whole = self._shared or self._path
        return bool(left)

    def _open(self) -> Filler:
        if self._shared is not None:
            self._filling = self._filling or opened(self._root)
            return self._filling
        if self._filling is not None and file_id(self._path) != self._file:
            # Another process removed it: what it held must not be searched.
            self.close()
            self._whole = None
        if self._filling is None:
            self._filling = FulltextFiller.open(self._path, private=self._private)
            self._file = file_id(self._path)
        return self._filling

    def look_through(self) -> None:
        """Have the file made again by the next step where any of it is broken. Raises ArchiveError.

        What is in a database is not ours to remove.
        """
        if self._shared is not None:
            return
        try:
            with FulltextFiller.open(self._path, private=self._private) as filling:
                filling.look_through()
        except TextIndexUnusable:
            self.close()
            remove(self._path)
            self._whole = None

    def close(self) -> None:
        """Close what is open."""
        if self._filling is not None:
            self._filling.close()
            self._filling = None


def _in_database(root: Path) -> Places | None:
    places = places_of(root)
    return None if places.index is None else places


def _up_to_date(path: Path, archive: Archive) -> bool:
    """Tell whether a text index that can't be written has all there is."""
    try:
        with Fulltext.to_read(path) as index:
            return not index.behind(archive.index)
    except ArchiveError:
        return False
