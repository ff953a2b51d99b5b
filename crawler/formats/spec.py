"""What a format with a parser is: the value that each parser's module ends with, as ``SPEC``."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from msgspec import Struct, structs

from crawler.facts import Facts

#: Particulars of one document; Dublin Core, which describes any, has 15.
MAX_PARTICULARS = 32
#: Characters of one that is a text: a sentence or two.
MAX_PARTICULAR = 1_000
#: The largest that is a number: what every reader of JSON takes exactly (RFC 8259 section 6).
MAX_NUMBER = (1 << 53) - 1


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


def bounded(facts: Facts) -> Facts:
    """Hold the particulars to what is kept of them: strangers' bytes are where they come from."""
    kept: dict[str, int | str] = {}
    for name, value in islice(facts.particulars.items(), MAX_PARTICULARS):
        if isinstance(value, str):
            # Half a surrogate pair can't be written down.
            kept[name] = value[:MAX_PARTICULAR].encode("utf-8", "replace").decode()
        elif abs(value) <= MAX_NUMBER:
            kept[name] = value
    return structs.replace(facts, particulars=kept)
