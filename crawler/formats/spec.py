"""What a format with a parser is: the value that each parser's module ends with, as ``SPEC``."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from crawler.facts import Facts


class FormatSpec(Struct, frozen=True, kw_only=True):
    """A format with a parser: its media types (its own first), its suffixes, its parser.

    ``parse`` takes a body (content coding undone), the URL it was served at and its Content-Type;
    it raises facts.Malformed and nothing else. ``suffixes``: by which an alternate is told whose
    link states no type. ``bare``: text that nothing else marks as such, so that what looks like
    another kind is taken for that.
    """

    name: str
    media_types: tuple[str, ...]
    parse: Callable[[bytes, str, str], Facts]
    suffixes: tuple[str, ...] = ()
    bare: bool = False
