"""What a client asked for, as plain values: bounded, refused in a sentence where it is wrong."""

from __future__ import annotations

import re
from datetime import datetime
from urllib.parse import unquote

from msgspec import Struct

from storage.times import WhenError, parse_when

#: Characters of a parameter: as many as a slug may have.
MOST_CHARACTERS = 1_024
#: Characters of a mirrored URL: more than any crawler of ours takes.
MOST_URL = 4_096
#: The highest page or sequence number that is looked at; SQLite's own whole numbers go further.
MOST_NUMBER = 1 << 52
#: Parameters that may stand more than once.
MANY = frozenset({"filter"})
_NUMBER = re.compile(r"[0-9]{1,16}")
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_BARE_URL = re.compile(r"https?:/{1,2}(?=[^/])", re.IGNORECASE)
_WRAPPED_URL = re.compile(r"https?%3A", re.IGNORECASE)


class Refusal(Exception):
    """A request that gets no page: ``status`` is the HTTP status, the text a sentence for people.

    ``retry``: seconds after which to ask again, 0: never.
    """

    def __init__(self, status: int, sentence: str, retry: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry = retry


def not_there(sentence: str) -> Refusal:
    """Return the refusal for what the archive does not have."""
    return Refusal(404, sentence)


def wrong(sentence: str) -> Refusal:
    """Return the refusal for what the client wrote wrong."""
    return Refusal(400, sentence)


class Request(Struct, frozen=True, kw_only=True):
    """One request. ``parts`` are the route's, decoded; ``url``: what follows the route's prefix.

    ``base`` is this server's own address as the client knows it, without an end slash; ``now`` is
    the moment of asking; header fields that were not sent are empty. ``query`` has the first value
    of each parameter, ``every`` all of them as they came.
    """

    parts: dict[str, str]
    query: dict[str, str]
    base: str
    now: datetime
    url: str = ""
    accept_datetime: str = ""
    accept_encoding: str = ""
    if_none_match: str = ""
    range: str = ""
    every: tuple[tuple[str, str], ...] = ()

    def part(self, name: str) -> str:
        """Return a part of the path. Raises Refusal where it is too long."""
        return _bounded(name, self.parts[name])

    def text(self, name: str, most: int = MOST_CHARACTERS) -> str:
        """Return a parameter's words, "" where it was not given. Raises Refusal."""
        return _bounded(name, self.query.get(name, ""), most).strip()

    def number(self, name: str) -> int | None:
        """Return a whole number, None where none was given. Raises Refusal."""
        text = self.text(name)
        if not text:
            return None
        if not _NUMBER.fullmatch(text) or int(text) > MOST_NUMBER:
            raise wrong(f"{name} is a whole number, not {text[:40]!r}.")
        return int(text)

    def moment(self, name: str, *, start: bool = False) -> datetime | None:
        """Return a moment or a day (its end, or its ``start``), None where none was given.

        Raises Refusal.
        """
        text = self.text(name)
        try:
            return parse_when(text, self.now, start=start) if text else None
        except WhenError as error:
            raise wrong(f"{name}: {error}.") from error

    def original(self) -> str:
        """Return the URL of another server that the path ends with. Raises Refusal.

        It may stand there as it is, or percent-encoded as a whole; and what folds ``//`` on the way
        does no harm.
        """
        url = unquote(self.url) if _WRAPPED_URL.match(self.url) else self.url
        found = _BARE_URL.match(url)
        if not found:
            raise wrong("A URL that begins with http:// or https:// has to follow in the path.")
        scheme = url.partition(":")[0].lower()
        bare = f"{scheme}://{url[found.end() :]}".partition("#")[0]
        return _bounded("The URL", bare, MOST_URL)


def _bounded(name: str, text: str, most: int = MOST_CHARACTERS) -> str:
    if len(text) > most:
        raise wrong(f"{name} has more than {most:,} characters.")
    if _CONTROL.search(text):
        raise wrong(f"{name} holds a control character.")
    return text
