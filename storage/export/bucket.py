"""OUT in a bucket: s3://, gs:// and az:// (storage.buckets).

An object is seen whole or not at all: what is large goes up in parts, and the parts become an
object only when the last one is there.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import partial
from typing import BinaryIO, cast

from storage.buckets import bucket_errors, open_bucket
from storage.codings import BytesLike
from storage.errors import BadPlace, BucketFailed
from storage.files import is_safe

#: Bytes of a part: of the 10,000 that S3 takes, so an object may have 160 GB.
_PART = 16 << 20
#: Parts on their way at once: with the one that is filled, what is held in memory.
_AT_ONCE = 3


@contextmanager
def uploading(url: str) -> Iterator[BinaryIO]:
    """Give a stream for the object that is to be at ``url`` when the block has ended well.

    Raises BadPlace, MissingExtra, BucketFailed.
    """
    store, path = open_bucket(url, "writing to a bucket")
    if not path or path.endswith("/"):
        raise BadPlace(url, "it names a bucket or a folder: name the object to write")
    import obstore

    with _errors(url):
        parts = obstore.open_writer(store, path, buffer_size=_PART, max_concurrency=_AT_ONCE)
    # Closing is what makes the object: after an error it is never done.
    upload = _Upload(url, parts.write)
    yield cast("BinaryIO", upload)
    with _errors(url):
        parts.close()


class Folder:
    """A tree of files as objects under ``url``, each whole at any instant. Keeps nothing."""

    def __init__(self, url: str) -> None:
        """``url`` names the folder, or the bucket itself. Raises BadPlace, MissingExtra."""
        self._url = url
        self._store, path = open_bucket(url, "writing to a bucket")
        self._prefix = f"{path.rstrip('/')}/" if path else ""

    def write(self, name: str, body: bytes, fetched_at: datetime) -> None:
        """Put ``body`` at ``name``. Raises ValueError for a name that leaves it, BucketFailed."""
        import obstore

        if not is_safe(name):
            raise ValueError(f"{name!r} is no name for a file in {self._url}")
        # An object has no date of ours: the cloud gives it the moment of its making.
        del fetched_at
        with _errors(self._url):
            obstore.put(self._store, self._prefix + name, body)


class _Upload(io.RawIOBase):
    """What obstore takes bytes with, as a stream of Python's that is only written."""

    def __init__(self, url: str, write: object) -> None:
        self._url = url
        self._write = write

    def writable(self) -> bool:
        return True

    def write(self, data: BytesLike) -> int:  # type: ignore[override]  # one buffer type of ours
        with _errors(self._url):
            self._write(bytes(data))  # type: ignore[operator]  # obstore names no type for it
        return len(data)


def _errors(url: str) -> AbstractContextManager[None]:
    return bucket_errors(partial(BucketFailed, url))
