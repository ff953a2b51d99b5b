"""The thread that keeps the catalogue: it follows the index while a run writes.

The catalogue is a file in a folder of this process's own. Where the index is made again, so is the
catalogue, as another file.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from storage.archive import Archive
from storage.errors import ArchiveError
from storage.index.follow import Filling
from storage.web.reading import index_file

#: Seconds between two looks at the index: a batch of a run is seen that soon.
PAUSE_SECONDS = 1.0
#: Seconds left to the pages between two steps of filling, which are as long again.
_BREATH_SECONDS = 0.005
#: Looks between two counts of what fails, which goes through every entry.
_COUNT_EVERY = 60


class Follower:
    """The catalogue's keeper. State: the file that is kept now, the thread, and when to stop.

    ``caught_up`` is set when everything that was there at the start is catalogued.
    """

    def __init__(self, root: Path, *, private: bool) -> None:
        """Make an empty catalogue of the mirror at ``root``; ``start`` begins to fill it."""
        self._root = root
        self._private = private
        self._folder = TemporaryDirectory(prefix="slugline-serve-", ignore_cleanup_errors=True)
        self._made = 0
        self._stop = threading.Event()
        self.caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slugline-follow", daemon=True)
        self._filling = self._new()

    def path(self) -> Path:
        """Return the file of the catalogue that is kept now."""
        return self._filling.root

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Stop following, and throw the catalogue away."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._filling.close()
        self._folder.cleanup()

    def _new(self) -> Filling:
        self._made += 1
        return Filling.create(Path(self._folder.name) / f"catalogue-{self._made}.sqlite")

    def _run(self) -> None:
        said = ""
        while not self._stop.is_set():
            try:
                self._follow()
                said = ""
            except ArchiveError as error:
                if str(error) != said:
                    said = str(error)
                    sys.stderr.write(f"slugline: lists are not brought up to date: {said}\n")
            self._stop.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        """Follow one index file until it is another one, or rows were taken out of it."""
        standing = index_file(self._root)
        if self._filling.followed("snapshots")[0] or self._filling.followed("events")[0]:
            old, self._filling = self._filling, self._new()
            old.close()
        looks = 0
        while not self._stop.is_set() and index_file(self._root) == standing:
            # Opened each time: segments may have been written anew since the last look.
            with Archive.open(self._root) as archive:
                if not self._filling.fits(archive.index):
                    return
                while not self._stop.is_set() and self._filling.step(
                    archive, private=self._private
                ):
                    self._stop.wait(_BREATH_SECONDS)
                self.caught_up.set()
                if looks % _COUNT_EVERY == 0:
                    self._filling.count_failures(archive.index)
            looks += 1
            self._stop.wait(PAUSE_SECONDS)
