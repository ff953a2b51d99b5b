"""Articles by words: the one place that knows how they are found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from msgspec import Struct, field

from storage.index.catalogue import Wanted
from storage.index.fulltext import Question
from storage.index.fulltext_words import Snippet
from storage.index.rows import from_micros
from storage.web.reading import Reading

#: Titles that are looked at where the list is narrowed down by more than a site.
MOST_HITS = 500
#: Words of one search among titles: a sentence.
MOST_WORDS = 16
_WORD = re.compile(r"\w+")


class Found(Struct, frozen=True):
    """Articles found, as site and slug, the best first, and where in their texts.

    ``by_title``: only titles were looked at, for the texts are still being read.
    """

    articles: tuple[tuple[str, str], ...] = ()
    snippets: Mapping[tuple[str, str], Snippet] = field(default_factory=dict)
    by_title: bool = False


def find(reading: Reading, words: str, wanted: Wanted | None, most: int) -> Found:
    """Return the articles that have all the words, of those ``wanted``; None: of all sites."""
    index = reading.fulltext
    if index is None:
        return _by_title(reading, words, wanted, most)
    among = None
    if wanted is not None and "state" in wanted.values:
        # Whether an article is gone is all that no text index knows.
        among = partial(reading.catalogue.among, wanted)
    hits = index.search(_question(words, wanted, most), among)
    articles = [(hit.site, hit.slug) for hit in hits]
    snippets = {(hit.site, hit.slug): hit.snippet for hit in hits}
    return Found(_among(reading, wanted, articles, most), snippets)


def _question(words: str, wanted: Wanted | None, most: int) -> Question:
    if wanted is None:
        return Question(words=words, canonicals=True, most=most)
    values = wanted.values
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
        most=most,
    )


def _by_title(reading: Reading, words: str, wanted: Wanted | None, most: int) -> Found:
    asked = _WORD.findall(words)[:MOST_WORDS]
    if not asked:
        return Found()
    site = wanted.site if wanted else None
    articles = reading.catalogue.titled(asked, site, MOST_HITS if wanted else most)
    return Found(_among(reading, wanted, articles, most), by_title=True)


def _among(
    reading: Reading, wanted: Wanted | None, articles: list[tuple[str, str]], most: int
) -> tuple[tuple[str, str], ...]:
    if wanted is None:
        return tuple(articles)
    among = reading.catalogue.among(wanted, articles)
    return tuple(name for name in articles if name in among)[:most]
