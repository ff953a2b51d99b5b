"""What a publisher has reserved: its own words about use, read from a manifest's ``usage``.

Pure. Read are X-Robots-Tag and the robots meta tag (``noarchive``, and by the convention of image
sites ``noai`` and ``noimageai``), TDMRep's ``tdm-reservation`` (W3C Community Group report of
2024-05-10, section 6.1: 1 is reserved, 0 is not) and AIPREF's ``Content-Usage`` (IETF drafts
aipref-attach and aipref-vocab: a dictionary of RFC 9651 from a use to ``y`` or ``n``). A word to
another robot by name is no word to us; a field that is broken is passed over, as RFC 9651
section 4.2 has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

#: The rules of a robots tag that reserve something; the others are about search engines.
RULES = frozenset({"noai", "noimageai", "noarchive"})
#: The name by which a tag may speak to us alone.
OURS = "slugline"
#: Rules that have a value behind a colon of their own (max-snippet: 20), and are no robot's name.
_VALUED = frozenset({"max-snippet", "max-image-preview", "max-video-preview", "unavailable_after"})
_DENIED = "n"
#: RFC 9651 section 3.2: a key, and what it stands for up to a comma outside of quotes.
_MEMBER = re.compile(
    r"[ \t]*(?P<key>[a-z*][a-z0-9_.*-]*)"
    r"(?:=(?P<value>\"(?:[^\"\\]|\\[\"\\])*\"|[^\s,;\"]+))?(?P<rest>(?:[ \t]*;[^,\"]*)?)[ \t]*"
)
#: Characters of a field that are read: real ones have some hundred.
_MOST = 8_192


def reservations(usage: Mapping[str, str]) -> tuple[str, ...]:
    """Return each reservation as ``format: field word``; none: nothing is reserved.

    ``usage`` is a manifest's: fields by ``format: field``, their lines one under the other.
    """
    found = (
        f"{name} {word}"
        for name, value in usage.items()
        for word in _words(name.rpartition(": ")[2], value[:_MOST])
    )
    return tuple(dict.fromkeys(found))


def _words(field: str, value: str) -> Iterator[str]:
    if field in {"x-robots-tag", "meta robots"}:
        yield from _rules(value.lower())
    elif field in {"tdm-reservation", "meta tdm-reservation"}:
        yield from {word for word in map(str.strip, re.split("[\n,]", value)) if word == "1"}
    elif field == "content-usage":
        yield from (f"{use}=n" for use, word in _uses(value).items() if word == _DENIED)


def _rules(value: str) -> Iterator[str]:
    for line in value.splitlines():
        robot = ""
        for part in line.split(","):
            name, colon, rule = (piece.strip() for piece in part.partition(":"))
            if colon and name not in _VALUED:
                robot = name
            word = rule if colon else name
            if word in RULES and robot in {"", OURS}:
                yield word


def _uses(value: str) -> dict[str, str]:
    """Read a dictionary of RFC 9651; {} where it is none. The last of two equal keys counts."""
    text = ",".join(value.splitlines())
    uses = {}
    at = 0
    while at < len(text):
        member = _MEMBER.match(text, at)
        if member is None or text[member.end() : member.end() + 1] not in {"", ","}:
            return {}
        uses[member["key"]] = member["value"] or ""
        at = member.end() + 1
    return uses
