"""Plain text: the words and nothing else.

A first line may be a title and a line may be a date, but nothing marks them as such: both
are left to the formats that say so (null beats a guess). Pure.
"""

from __future__ import annotations

from crawler.facts import Facts
from crawler.formats.charset import decode, unread
from crawler.formats.spec import FormatSpec

EXTRACTOR = "text/1"


def parse_text(body: bytes, url: str, content_type: str = "") -> Facts:  # noqa: ARG001  - every parser is called alike
    """Return the facts of a plain text document: its words, line ends made one kind."""
    text, findings = decode(body, content_type)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    words = text.strip()
    return Facts(
        source="text",
        extractor=EXTRACTOR,
        body=words or None,
        unread=unread(body),
        findings=findings,
    )


SPEC = FormatSpec(
    name="text",
    media_types=("text/plain",),
    suffixes=(".txt",),
    parse=parse_text,
    bare=True,
)
