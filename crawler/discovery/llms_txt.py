"""llms.txt: the pages a site recommends to machines (llmstxt.org).

The file is Markdown: a title, then sections whose list items are ``[title](url): note``. Links
are returned as they stand, resolved; many lead to an article's Markdown twin. Links anywhere
else in the text count too, since many files are written by hand; images and code don't. Lines
are read one by one and bounded, so time is linear. Pure: text and a base URL in, values out, no
exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

from crawler.discovery.spec import ListSpec
from crawler.urls import normalise

#: Links of one file that are kept, as many as a sitemap may list.
MAX_LINKS = 50_000
#: Characters of one line that are read: two URLs of the longest kind and a note.
MAX_LINE = 16_384

_LINK = re.compile(
    # possessive throughout: a failed link is never tried in shorter pieces
    r"(?<!!)\[(?P<title>[^\[\]]*+)\]\(\s*+(?:<(?P<angled>[^<>]*+)>|(?P<bare>[^\s()<>]*+"
    r"(?:\([^\s()<>]*+\)[^\s()<>]*+){0,8}+))(?:\s++(?:\"[^\"]*+\"|'[^']*+'))?+\s*+\)"
    r"|<(?P<auto>https?://[^\s<>]++)>"
)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})")
_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,9}[.)])\s")


class LlmsLink(Struct, frozen=True, kw_only=True):
    """A link of the file, normalised, with its words and, in a list, the note behind it."""

    url: str
    title: str = ""
    note: str = ""


def parse_llms_txt(text: str, url: str) -> tuple[LlmsLink, ...]:
    """Return the links of the llms.txt served at ``url``, each URL once, in the file's order.

    At most MAX_LINKS. A page of markup served in its place has none.
    """
    if re.match(r"\ufeff?\s*<(?:!doctype|html|\?xml)", text, re.IGNORECASE):
        return ()
    links: dict[str, LlmsLink] = {}
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            # CommonMark 4.5: only a fence as long, of the same kind, closes
            fence = "" if mark and mark["fence"].startswith(fence) else fence
            continue
        if mark:
            fence = mark["fence"]
            continue
        for link in _line_links(line[:MAX_LINE], url):
            links.setdefault(link.url, link)
        if len(links) >= MAX_LINKS:
            break
    return tuple(links.values())[:MAX_LINKS]


def _line_links(line: str, base: str) -> list[LlmsLink]:
    matches = list(_LINK.finditer(line))
    links = []
    for match in matches:
        target = (match["angled"] or match["bare"] or match["auto"] or "").strip()
        url = normalise(target, base) if target and not target.startswith("#") else None
        if url:
            # a note belongs to the one link of a list item
            alone = len(matches) == 1 and _ITEM.match(line)
            note = line[match.end() :].lstrip(" :\t\u2013\u2014-").strip() if alone else ""
            title = " ".join((match["title"] or "").replace("**", "").split())
            links.append(LlmsLink(url=url, title=title, note=note))
    return links


def _listed(body: bytes, url: str) -> Iterable[str]:
    text = body.decode("utf-8", "replace")
    return dict.fromkeys(link.url for link in parse_llms_txt(text, url))


SPEC = ListSpec(kind="llms-txt", place="llms.txt", parse=_listed)
