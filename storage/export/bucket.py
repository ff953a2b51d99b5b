"""OUT in a bucket: s3://, gs:// and az:// through obstore, which is an extra of this package.

An object is seen whole or not at all: what is large goes up in parts, and the parts become an
object only when the last one is there. Credentials come from the environment as each cloud's own
tools read them, and no error of ours repeats what a cloud or obstore said of them.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

from storage.codings import BytesLike
from storage.errors import BadPlace, BucketFailed, MissingExtra
from storage.files import is_safe

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3://", "gs://", "az://")

#: Bytes of a part: of the 10,000 that S3 takes, so an object may have 160 GB.
_PART = 16 << 20
#: Parts on their way at once: with the one that is filled, what is held in memory.
_AT_ONCE = 3
#: What a run of failures may take before it is said: a cloud's short troubles are shorter.
_RETRIES, _RETRY_TIME = 5, timedelta(seconds=60)

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")


def is_bucket(out: str) -> bool:
    """Tell whether ``out`` names a place in a bucket."""
    return out.startswith(SCHEMES)


@contextmanager
def uploading(url: str) -> Iterator[BinaryIO]:
    """Give a stream for the object that is to be at ``url`` when the block has ended well.

    Raises BadPlace, MissingExtra, BucketFailed.
    """
    store, path = _open(url)
    if not path or path.endswith("/"):
        raise BadPlace(url, "it names a bucket or a folder: name the object to write")
    import obstore  # noqa: PLC0415  - an extra

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
        self._store, path = _open(url)
        self._prefix = f"{path.rstrip('/')}/" if path else ""

    def write(self, name: str, body: bytes, fetched_at: datetime) -> None:
        """Put ``body`` at ``name``. Raises ValueError for a name that leaves it, BucketFailed."""
        import obstore  # noqa: PLC0415  - an extra

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


def _open(url: str) -> tuple[ObjectStore, str]:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadPlace(f"{parts.scheme}://…", "credentials belong in the environment, not in OUT")
    if not parts.hostname:
        raise BadPlace(url, "it names no bucket")
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415  - an extra
        from obstore.store import from_url  # noqa: PLC0415  - an extra
    except ImportError as error:
        raise MissingExtra("writing to a bucket", "obstore", "cluster") from error
    try:
        store = from_url(
            f"{parts.scheme}://{parts.netloc}",
            retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME},
        )
    except (BaseError, ValueError) as error:
        raise BadPlace(url, "its store can't be opened with what the environment says") from error
    return store, parts.path.strip("/") + ("/" if parts.path.rstrip("/") != parts.path else "")


@contextmanager
def _errors(url: str) -> Iterator[None]:
    from obstore.exceptions import BaseError  # noqa: PLC0415  - an extra

    try:
        yield
    except FileNotFoundError as error:
        raise BucketFailed(url, "there is no such bucket") from error
    except (BaseError, OSError) as error:
        raise BucketFailed(url, _why(str(error))) from error


def _why(said: str) -> str:
    """Say what failed in words of ours: a cloud's answer may repeat keys and tokens."""
    status, code = _STATUS.search(said), _CODE.search(said)
    if status is None:
        return "its server could not be reached"
    return f"its server said {status[1]}{f' {code[1]}' if code else ''}"
