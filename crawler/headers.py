"""Header fields, both ways: what a request asks with, and what is kept of an answer's.

Pure. RFC 9110 sections 12 and 13 are the request's, section 5 the fields'. Cookies and credentials
of an answer are cut here, before anything can store them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from crawler.answer import Headers
from crawler.faults import FetchError, size_text
from storage.model import Validator
from storage.times import parse_http_date

#: Response fields that hold cookies or credentials: they are never stored.
_SECRET = frozenset(
    {
        "set-cookie",
        "set-cookie2",
        "authorization",
        "proxy-authorization",
        "proxy-authenticate",
        "authentication-info",
        "proxy-authentication-info",
    }
)
#: Characters of a private header's value from which on it is looked for in answers: shorter
#: ones are words such as "on" and "true".
_SECRET_LENGTH = 6


def wishes(accept: str | None, encodings: str | None, *, fresh: bool) -> dict[str, str]:
    """Return the fields of one request that differ from the session's own."""
    headers = {}
    if accept is not None:
        headers["Accept"] = accept
    if encodings is not None:
        headers["Accept-Encoding"] = encodings
    if fresh:
        headers["Cache-Control"] = "no-cache"
        headers["Pragma"] = "no-cache"
    return headers


def conditions(validators: Validator) -> dict[str, str]:
    """Return the preconditions (RFC 9110 section 13.1) that can be sent exactly as they came."""
    fields = {}
    if validators.etag and validators.etag.isascii() and validators.etag.isprintable():
        fields["If-None-Match"] = validators.etag
    date = validators.last_modified
    if date and parse_http_date(date) is not None:
        fields["If-Modified-Since"] = date
    return fields


@lru_cache(maxsize=1024)
def _name(raw: bytes) -> tuple[str, bool]:
    """Return a field's name, and whether it is a secret one: servers send the same few names."""
    name = raw.decode("utf-8", "surrogateescape")
    return name, name.lower() in _SECRET


def received(
    url: str, raw: Iterable[tuple[bytes, bytes]], limit: int
) -> tuple[Headers, tuple[str, ...]]:
    """Return an answer's header fields as they came, without secrets, and the names of those.

    Raises FetchError for ``url`` where they are over ``limit`` bytes.
    """
    size = 0
    kept = []
    cut = []
    for raw_name, raw_value in raw:
        size += len(raw_name) + len(raw_value)
        name, secret = _name(raw_name)
        if secret:
            cut.append(name)
        else:
            kept.append((name, raw_value.decode("utf-8", "surrogateescape")))
    if size > limit:
        bound = size_text(limit)
        raise FetchError(url, "too-large", f"the answer's header fields are over {bound}")
    return tuple(kept), tuple(dict.fromkeys(cut))


def without_echo(
    fields: Headers, redacted: tuple[str, ...], secrets: Headers
) -> tuple[Headers, tuple[str, ...]]:
    """Cut header fields in which a server repeats what it was told in private."""
    names = {name for name, value in fields if echoes(value, secrets)}
    kept = tuple(pair for pair in fields if pair[0] not in names)
    return kept, (*redacted, *sorted(names))


def echoes(text: str, secrets: Headers) -> bool:
    """Say whether ``text`` repeats a private header's value, or the credentials in it.

    RFC 9110 section 11.4: those of Authorization stand behind the scheme's name.
    """
    values = {part for _, value in secrets for part in (value, value.rpartition(" ")[2])}
    return any(value in text for value in values if len(value) >= _SECRET_LENGTH)
