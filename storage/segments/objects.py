"""Objects below a prefix of a bucket, as bytes and sizes by name; each is there whole or not.

The border to obstore for a mirror's segments: its failures become SegmentsAway, which names the
place and never a credential. What is put is durable when the call returns. Blocking; may be used by
several threads. State: how many requests were made.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from functools import partial
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError

from storage.buckets import bucket_errors, open_bucket
from storage.errors import SegmentsAway, SegmentsRefused
from storage.layout import sync_folder

#: Objects named in one answer: the most that S3 gives (ListObjectsV2, max-keys).
_PAGE = 1000
#: Bytes of a part of what is put over an older object: of the 10,000 that S3 takes.
_PART = 16 << 20
#: Parts on their way at once: with the one that is read, what is held in memory.
_AT_ONCE = 3
#: Bytes compared at once.
_COPY = 4 << 20


class Objects:
    """The objects whose names begin with a URL's path. Mutable state: how many requests it took."""

    def __init__(self, url: str) -> None:
        """``url``: as mirror.json has it. Raises BadPlace, MissingExtra, SegmentsAway."""
        self.url = url
        self.requests = 0
        if url.startswith("file:") and not Path(urlsplit(url).path).is_dir():
            # Made when it is chosen: what is not there now is not mounted, say, and not empty.
            raise SegmentsAway(url, "there is no such folder")
        self._store, path = open_bucket(url, "a mirror's segments in a bucket", make=False)
        self._prefix = f"{path.rstrip('/')}/" if path else ""
        prefix = getattr(self._store, "prefix", None)
        # a folder of files keeps nothing through a power cut by itself
        self._folder = Path(prefix) if url.startswith("file:") and prefix else None

    def sizes(self, below: str = "") -> dict[str, int]:
        """Return the bytes of every object, of the folder ``below`` where it is given, by name."""
        return dict(self._listed(below))

    def are_there(self) -> bool:
        """Tell whether there is an object."""
        return any(True for _ in islice(self._listed(""), 1))

    def _listed(self, below: str) -> Iterator[tuple[str, int]]:
        prefix = (self._prefix + below).rstrip("/")
        with self._errors():
            for page in obstore.list(self._store, prefix or None, chunk_size=_PAGE):
                self.requests += 1
                for one in page:
                    yield one["path"].removeprefix(self._prefix), one["size"]

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None where there is none of that name."""
        self.requests += 1
        with self._errors():
            try:
                return obstore.head(self._store, self._prefix + name)["size"]
            except FileNotFoundError:
                return None

    def get(self, name: str, start: int, end: int) -> tuple[bytes, int] | None:
        """Return bytes ``start`` to ``end``, or those there are, and the object's size; or None."""
        self.requests += 1
        with self._errors():
            try:
                options: obstore.GetOptions = {"range": (start, end)}
                found = obstore.get(self._store, self._prefix + name, options=options)
                return bytes(found.bytes()), found.meta["size"]
            except FileNotFoundError:
                return None
            except BaseError:
                # A range that begins past the end is refused (RFC 9110 section 15.5.17).
                size = self.size(name)
                if size is None or start < size:
                    raise
                return b"", size

    def create(self, name: str, file: Path) -> None:
        """Put a file's bytes at a name that has none; the same bytes there already are as good.

        Raises SegmentsAway, where other bytes are there too.
        """
        self.requests += 1
        with self._errors():
            try:
                obstore.put(self._store, self._prefix + name, file, mode="create")
            except AlreadyExistsError as error:
                # An answer that was lost, or a run that was killed: what was put is there.
                if not self._is(name, file):
                    raise SegmentsAway(self.url, f"{name} is there, with other bytes") from error
            self._sync(name)

    def replace(self, name: str, file: Path) -> None:
        """Put a file's bytes at a name, in place of what was there, at one instant."""
        self.requests += 1
        with self._errors():
            place = self._prefix + name
            obstore.put(self._store, place, file, chunk_size=_PART, max_concurrency=_AT_ONCE)
            self._sync(name)

    def delete(self, name: str) -> None:
        """Take an object away, where it is there."""
        self.requests += 1
        with self._errors():
            try:
                obstore.delete(self._store, self._prefix + name)
            except FileNotFoundError:
                return

    def _is(self, name: str, file: Path) -> bool:
        if self.size(name) != file.stat().st_size:
            return False
        with file.open("rb") as ours:
            at = 0
            while piece := ours.read(_COPY):
                theirs = self.get(name, at, at + len(piece))
                if theirs is None or theirs[0] != piece:
                    return False
                at += len(piece)
        return True

    def _sync(self, name: str) -> None:
        if self._folder is None:
            return
        path = self._folder / name
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        for above in (path.parent, self._folder):
            sync_folder(above)

    def _errors(self) -> AbstractContextManager[None]:
        return bucket_errors(partial(SegmentsAway, self.url), partial(SegmentsRefused, self.url))
