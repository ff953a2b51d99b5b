"""The plain lists of articles. Add one by a line: the import of its SPEC, here and nowhere else.

Sitemaps and feeds are no plain lists: they have several documents, and dates.
"""

from __future__ import annotations

from crawler.discovery.llms_txt import SPEC as LLMS_TXT
from crawler.discovery.spec import ListSpec

#: Every plain list, by its name in the settings.
LISTS: dict[str, ListSpec] = {
    each.kind: each for each in tuple(globals().values()) if isinstance(each, ListSpec)
}
#: The ways in which articles are found; ``links`` are those of pages.
WAYS = ("sitemap", "feed", *LISTS, "links")
