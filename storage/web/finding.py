"""Articles by words: the one place that knows how they are found."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct, field

from storage.index.rows import from_micros
from storage.search.fulltext import Question
from storage.search.words import Snippet
from storage.web.catalogue import Wanted
from storage.web.reading import ThreadArchive

#: Titles that are looked at, the best.
MOST_HITS = 500
#: Words of one search among titles: a sentence.
MOST_WORDS = 16
_WORD = re.compile(r"\w+")


class Found(Struct, frozen=True):
    """Articles found, as site and slug, the best first, and where in their texts.

    ``number`` of them there are, None: more than are counted. ``by_title``: only titles were looked
    at, for the texts are still being read.
    """

    articles: tuple[tuple[str, str], ...] = ()
    snippets: Mapping[tuple[str, str], Snippet] = field(default_factory=dict)
    number: int | None = 0
    by_title: bool = False


def find(reading: ThreadArchive, words: str, wanted: Wanted | None, most: int) -> Found:
    """Return the articles that have all the words, of those ``wanted``; None: of all sites."""
    index = reading.fulltext
    if index is None:
        return _by_title(reading, words, wanted, most)
    found = index.search(_question(words, wanted, most))
    snippets = {(hit.site, hit.slug): hit.snippet for hit in found.hits}
    return Found(tuple(snippets), snippets, found.number)


def _question(words: str, wanted: Wanted | None, most: int) -> Question:
    if wanted is None:
        return Question(words=words, canonicals=True, most=most)
    values = wanted.values
    state = values.get("state")
    return Question(
        words=words,
        site=wanted.site,
        language=values.get("language"),
        topic=values.get("topic"),
        entity=values.get("entity"),
        finding=values.get("finding"),
        since=None if wanted.since is None else from_micros(wanted.since),
        until=None if wanted.until is None else from_micros(wanted.until),
        by="updated",
        canonicals=True,
        gone=None if state is None else state == "gone",
        most=most,
    )


def _by_title(reading: ThreadArchive, words: str, wanted: Wanted | None, most: int) -> Found:
    asked = _WORD.findall(words)[:MOST_WORDS]
    if not asked:
        return Found()
    site = wanted.site if wanted else None
    articles = reading.catalogue.titled(asked, site, MOST_HITS)
    if wanted is not None:
        among = reading.catalogue.among(wanted, articles)
        articles = [name for name in articles if name in among]
    number = len(articles) if len(articles) < MOST_HITS else None
    return Found(tuple(articles[:most]), number=number, by_title=True)
