"""What a plain list of articles is: the value that such a list's module ends with, as ``SPEC``."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct


class ListSpec(Struct, frozen=True, kw_only=True):
    """A document at a place of its own that names articles, all of them in one file.

    ``kind`` is its name in the setting ``discovery``, ``place`` that of the file, below the scope
    and below its host. ``parse`` takes a body (content coding undone) and the URL it was served at,
    and gives URLs in normal form; it raises facts.Malformed and nothing else.
    """

    kind: str
    place: str
    parse: Callable[[bytes, str], Iterable[str]]
