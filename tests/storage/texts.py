"""Articles with words of their own, and short ways to look for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage import layout
from storage.archive import Archive
from storage.model import Draft, Record
from storage.search.filling import FulltextFiller
from storage.search.fulltext import WORDS, Question
from storage.search.opening import search
from tests.storage.drafts import SITE, article


def told(slug: str, body: str = "", *, said: dict[str, Any] | None = None, **more: Any) -> Draft:
    """Return a snapshot whose text is ``body``; ``said`` are other fields of its record."""
    site = more.get("site", SITE)
    record = {"title": f"The {slug}", "body_md": body, **(said or {})}
    return article(
        slug, record=Record(slug=slug, url=f"https://{site}/news/{slug}", **record), **more
    )


def found(root: Path, words: str, **narrowed: Any) -> list[str]:
    """Return the slugs that a search finds, the best first."""
    with Archive.open(root) as archive:
        return [hit.slug for hit in search(archive, Question(words=words, **narrowed))]


def text_file(root: Path) -> Path:
    return root / layout.FULLTEXT


def vocabulary(path: Path) -> set[str]:
    """Return every word that the text index has in its lists."""
    index = FulltextFiller.open(path)
    connection = index._connection  # noqa: SLF001  - FTS5's own lists are what is looked at
    found: set[str] = set()
    for table in WORDS:
        connection.execute(
            f"CREATE VIRTUAL TABLE temp.w_{table} USING fts5vocab (main, {table}, row)"
        )
        found |= {word for (word,) in connection.execute(f"SELECT term FROM temp.w_{table}")}
    index.close()
    return found
