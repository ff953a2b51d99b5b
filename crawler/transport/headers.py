"""Header fields, both ways: what a request asks with, and what is kept of an answer's.

Pure. RFC 9110 sections 12 and 13 are the request's, section 5 the fields'. Cookies and credentials
of an answer are cut here, before anything can store them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import NamedTuple

from crawler.transport.answer import Headers
from crawler.transport.faults import FetchError, size_text
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
#: Fields of an answer, and bytes of one's name, up to which its names are kept for the next one.
_USUAL_FIELDS = 64
_USUAL_NAME = 64
#: RFC 9110 section 5.5: what would end a field early, and let its value write others.
_NOT_IN_LINE = re.compile("[\r\n\0]")
#: Characters of a private header's value from which on it is looked for in answers: shorter
#: ones are words such as "on" and "true".
_SECRET_LENGTH = 6


def wishes(accept: str | None, encodings: str | None, *, fresh: bool) -> dict[str, str]:
    """Return the fields of one request that differ from the settings' own."""
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


def written(fields: Mapping[str, str]) -> str:
    """Write a request's fields as lines; raises ValueError where one would be more than a line."""
    lines = [f"{name}: {value}" for name, value in fields.items()]
    if _NOT_IN_LINE.search("".join(lines)):
        raise ValueError("a header field of a request holds a line end or a null byte")
    return "".join(f"{line}\r\n" for line in lines)


def joined(*parts: Mapping[str, str]) -> dict[str, str]:
    """Return the fields of all ``parts``; of those with one name, in any case, the last."""
    found: dict[str, tuple[str, str]] = {}
    for part in parts:
        found |= {name.lower(): (name, value) for name, value in part.items()}
    return dict(found.values())


class _Names(NamedTuple):
    """The names of an answer's fields: as text, which of them are secret, and their bytes."""

    texts: tuple[str, ...]
    secret: frozenset[str]
    size: int


def _names(raw: tuple[bytes, ...]) -> _Names:
    texts = tuple(name.decode("utf-8", "surrogateescape") for name in raw)
    secret = frozenset(name for name in texts if name.lower() in _SECRET)
    return _Names(texts, secret, sum(map(len, raw)))


#: A server sends the same few names in the same order with everything.
_usual_names = lru_cache(maxsize=256)(_names)


def received(
    url: str, raw: Collection[tuple[bytes, bytes]], limit: int
) -> tuple[Headers, tuple[str, ...]]:
    """Return an answer's header fields as they came, without secrets, and the names of those.

    Raises FetchError for ``url`` where they are over ``limit`` bytes.
    """
    raw_names = tuple([name for name, _ in raw])
    together = b"\n".join([value for _, value in raw])
    usual = len(raw_names) <= _USUAL_FIELDS and max(map(len, raw_names), default=0) <= _USUAL_NAME
    names = (_usual_names if usual else _names)(raw_names)
    if names.size + len(together) - max(len(raw) - 1, 0) > limit:
        bound = size_text(limit)
        raise FetchError(url, "too-large", f"the answer's header fields are over {bound}")
    values = together.decode().split("\n") if together.isascii() else []
    if len(values) != len(raw_names):
        values = [value.decode("utf-8", "surrogateescape") for _, value in raw]
    fields = tuple(zip(names.texts, values, strict=True))
    if not names.secret:
        return fields, ()
    kept = tuple([field for field in fields if field[0] not in names.secret])
    return kept, tuple(dict.fromkeys(name for name in names.texts if name in names.secret))


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
