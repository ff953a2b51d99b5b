"""Buckets: s3://, gs:// and az:// (and file://) through obstore, which is an extra of this package.

The one place that opens a bucket and puts its failures into words. Credentials come from the
environment as each cloud's own tools read them; a URL that has any is refused, and no error of ours
repeats what a cloud or obstore said of them. Nothing here knows what is kept in a bucket.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from storage.errors import ArchiveError, BadPlace, MissingExtra

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ObjectStore

#: What a run of failures may take before it is said: a cloud's short troubles are shorter.
_RETRIES, _RETRY_TIME = 5, timedelta(seconds=60)

#: Where obstore looks for credentials and the like.
_TOLD = ("AWS_", "AZURE_", "GOOGLE_")

#: Statuses of the client's fault that are answered to the same request later (RFC 9110 section 15).
_LATER = frozenset({408, 409, 425, 429})
_STATUS = re.compile(r"status code: (\d{3})")
_OS_ERROR = re.compile(r"\(os error (\d{1,5})\)")
_CODE = re.compile(r"<Code>(\w{1,60})</Code>")


def open_bucket(url: str, wanted_by: str, *, make: bool = True) -> tuple[ObjectStore, str]:
    """Return the store and the path in it that ``url`` names; a path to a folder ends in a slash.

    ``wanted_by``: what an error says that needs it; ``make``: make a folder that is not there.
    Raises BadPlace, MissingExtra.
    """
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadPlace(f"{parts.scheme}://…", "credentials belong in the environment, not in a URL")
    in_files = parts.scheme == "file"
    if not (parts.path.strip("/") if in_files else parts.hostname):
        raise BadPlace(url, "it names no bucket")
    try:
        from obstore.exceptions import BaseError
        from obstore.store import LocalStore
    except ImportError as error:
        raise MissingExtra(wanted_by, "obstore", "cluster") from error
    try:
        if in_files:
            return LocalStore(parts.path, mkdir=make), ""
        known = frozenset(item for item in os.environ.items() if item[0].startswith(_TOLD))
        store = _opened(f"{parts.scheme}://{parts.netloc}", known)
    except (BaseError, ValueError, OSError) as error:
        raise BadPlace(url, "its store can't be opened with what the environment says") from error
    return store, parts.path.strip("/") + ("/" if parts.path.rstrip("/") != parts.path else "")


@lru_cache(maxsize=8)
def _opened(place: str, environment: frozenset[tuple[str, str]]) -> ObjectStore:  # noqa: ARG001  - obstore reads it
    """Open a bucket once, with what the ``environment`` tells of clouds: it costs 20 ms."""
    from obstore.store import from_url

    return from_url(place, retry_config={"max_retries": _RETRIES, "retry_timeout": _RETRY_TIME})


@contextmanager
def bucket_errors(
    failed: Callable[[str], ArchiveError], refused: Callable[[str], ArchiveError] | None = None
) -> Iterator[None]:
    """Turn what obstore raises into the error that ``failed`` makes of a sentence's end.

    ``refused`` makes the one of an answer that waiting does not change; without it, ``failed``.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError as error:
        raise (refused or failed)("there is no such bucket") from error
    except (BaseError, OSError) as error:
        said = str(error)
        raise (refused or failed if _is_no(said) else failed)(_why(said)) from error


def _is_no(said: str) -> bool:
    """Tell whether a server answered that it will not, and not that it can't now."""
    status = _STATUS.search(said)
    return status is not None and status[1][0] == "4" and int(status[1]) not in _LATER


def _why(said: str) -> str:
    """Say what failed in words of ours: a cloud's answer may repeat keys and tokens."""
    status, code, of_system = (each.search(said) for each in (_STATUS, _CODE, _OS_ERROR))
    if "LocalFileSystem" in said:
        return f"the folder said: {os.strerror(int(of_system[1])) if of_system else 'no'}"
    if status is None:
        return "its server could not be reached"
    return f"its server said {status[1]}{f' {code[1]}' if code else ''}"
