"""Articles by words: the one place that knows how they are found."""

from __future__ import annotations

import re
from typing import TypeAlias

from msgspec import Struct

from storage.web.reading import Reading

#: Hits that are looked at: the best of them, when a list is narrowed down as well.
MOST_HITS = 500
#: Words of one search: a sentence.
MOST_WORDS = 16
_WORD = re.compile(r"\w+")

#: A piece of the text: words, and whether they are what was looked for.
Snippet: TypeAlias = tuple[tuple[str, bool], ...]


class Hit(Struct, frozen=True):
    """An article found, and where in its text."""

    site: str
    slug: str
    snippet: Snippet = ()


def find(reading: Reading, words: str, site: str | None, most: int) -> list[Hit]:
    """Return the articles that have all the words, best first, of one site or of all."""
    asked = _WORD.findall(words)[:MOST_WORDS]
    if not asked:
        return []
    return [Hit(*name) for name in reading.catalogue.titled(asked, site, most)]
