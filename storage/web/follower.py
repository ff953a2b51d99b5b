"""The thread that keeps the lists: it follows the index while a run writes.

The catalogue is the mirror's own, which every server shares and the next start finds. Where the
mirror can't be written, or where private snapshots are shown, it is one of this process's, gone
with it. Where the index is made again, or rows were taken out of it, so is the catalogue.
"""

from __future__ import annotations

import sys
import threading
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from storage import layout
from storage.archive import Archive
from storage.errors import (
    ArchiveError,
    CatalogueUnusable,
    DiskFull,
    ReadOnly,
    TextIndexUnusable,
)
from storage.index.beside import remove
from storage.web.cataloguing import CatalogueFiller
from storage.web.reading import file_id, index_file
from storage.web.texts import TextKeeper

#: Seconds between two looks at the index: a batch of a run is seen that soon.
PAUSE_SECONDS = 1.0
#: Seconds left to the pages between two steps of filling, which are as long again.
_BREATH_SECONDS = 0.005
#: Looks between two counts of what fails, or two searches for damage: each reads a whole file.
_COUNT_EVERY = 60


class Follower:
    """The lists' keeper. State: the catalogue that is kept now, the thread, and when to stop.

    ``caught_up`` is set when everything that was there at the start is catalogued.
    """

    def __init__(self, root: Path, *, private: bool) -> None:
        """Open the catalogue of the mirror at ``root``; ``start`` begins to fill it."""
        self._root = root.absolute()
        self._private = private
        self._folder = TemporaryDirectory(prefix="slugline-serve-", ignore_cleanup_errors=True)
        own = Path(self._folder.name)
        self._own = own / layout.CATALOGUE
        self._path = self._own if private else self._root / layout.CATALOGUE
        self._stop = threading.Event()
        self._doubted = threading.Event()
        self.caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slugline-follow", daemon=True)
        self._filling = self._opened()
        self._file = file_id(self._path)
        self.texts = TextKeeper(self._root, own, private=private)

    def path(self) -> Path:
        """Return the file of the catalogue that is kept now."""
        return self._path

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def doubt(self, error: ArchiveError) -> None:
        """Have the lists looked through where a page could not read one: in a minute at most."""
        if isinstance(error, (CatalogueUnusable, TextIndexUnusable)):
            self._doubted.set()

    def close(self) -> None:
        """Stop following; what is this process's alone is thrown away."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._filling.close()
        self.texts.close()
        self._folder.cleanup()

    def _opened(self) -> CatalogueFiller:
        try:
            return CatalogueFiller.open(self._path)
        except (ReadOnly, DiskFull):
            if self._path == self._own:
                raise
            self._path = self._own
            return CatalogueFiller.open(self._path)

    def _run(self) -> None:
        said = ""
        looks = 0
        while not self._stop.is_set():
            try:
                self._look(count=looks % _COUNT_EVERY == 0)
                looks += 1
                said = ""
            except ArchiveError as error:
                if str(error) != said:
                    said = str(error)
                    sys.stderr.write(f"slugline: lists are not brought up to date: {said}\n")
            self._stop.wait(PAUSE_SECONDS)

    def _look(self, *, count: bool) -> None:
        """Bring the lists up to the index as it stands now; ``count`` what fails, too."""
        index = index_file(self._root)
        of = str(index[1]) if index else ""
        # Opened each time: segments may have been written anew since the last look.
        with Archive.open(self._root) as archive:
            try:
                if count and self._doubted.is_set():
                    self._look_through()
                self._fill(archive, of)
            except (ReadOnly, DiskFull, CatalogueUnusable) as error:
                self._give_up(error)
                return
            while not self._stop.is_set() and self.texts.step(archive):
                self._stop.wait(_BREATH_SECONDS)
            self.caught_up.set()
            if count:
                self._filling.count_failures(archive.index)

    def _look_through(self) -> None:
        """Have what is broken made again. Raises ArchiveError.

        A connection of its own reads the file: another has what was sound in memory.
        """
        self._doubted.clear()
        self.texts.look_through()
        with closing(CatalogueFiller.open(self._path)) as filling:
            filling.look_through()

    def _fill(self, archive: Archive, of: str) -> None:
        if file_id(self._path) != self._file:
            # Another process removed it: what it held must not be shown.
            self._anew()
        if not self._filling.fits(archive.index, of):
            remove(self._path)
            self._anew()
        while not self._stop.is_set() and self._filling.step(archive, of, private=self._private):
            self._stop.wait(_BREATH_SECONDS)

    def _give_up(self, error: ArchiveError) -> None:
        """Go on with a catalogue made again, or with one of this process's. Raises ``error``."""
        if isinstance(error, CatalogueUnusable):
            remove(self._path)
        elif self._path == self._own:
            raise error
        else:
            self._path = self._own
        self._anew()

    def _anew(self) -> None:
        self._filling.close()
        self._filling = self._opened()
        self._file = file_id(self._path)
