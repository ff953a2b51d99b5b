"""The names of one site's articles: which URL leads to which slug, and where each article is.

Filled from what earlier runs gave, then added to by this one. Pure, and packed: a site may have a
million articles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from crawler.article.slugs import Slugs
from crawler.packed import PackedStrings
from crawler.urls import same_page

#: Stands before a slug, which may begin with a slash, as no first of a packed pair does.
_SLUG = "="


class SiteNames:
    """Mutable state: slugs by URL, the URLs of earlier runs' articles by slug, the slugs given."""

    def __init__(
        self, places: Mapping[str, str] | None = None, aliases: Mapping[str, str] | None = None
    ) -> None:
        """``places`` maps the slugs of earlier runs to URLs, ``aliases`` other URLs to slugs."""
        self._names = PackedStrings()
        self._places = PackedStrings()
        self.slugs = Slugs(places)
        for slug, url in (places or {}).items():
            self._places.add(f"{_SLUG}{slug}", url)
            self._names.put(url, slug)
        for url, slug in (aliases or {}).items():
            self._names.put(url, slug)
            self.slugs.add_alias(url, slug)

    def __contains__(self, url: str) -> bool:
        """Say whether ``url`` leads to an article."""
        return self._names.find(url) is not None

    def slug_at(self, url: str) -> str:
        """Return the slug of the article that ``url`` leads to, found in this run too, or ""."""
        return self._names.get(url) or ""

    @property
    def has_known(self) -> bool:
        """Whether an earlier run had any article."""
        return len(self._places) > 0

    def knows(self, slug: str) -> bool:
        """Say whether an earlier run had the article ``slug``."""
        return self._places.find(f"{_SLUG}{slug}") is not None

    def leads_to(self, url: str, slug: str) -> bool:
        """Say whether ``url`` led to the article ``slug`` before this run, and does still."""
        return self.known_at(url) == slug != ""

    def known_at(self, url: str) -> str:
        """Return the slug of the article of an earlier run that ``url`` leads to, or ""."""
        slug = self.slug_at(url) if self.has_known else ""
        return slug if slug and self.knows(slug) else ""

    def article_at(self, url: str) -> str:
        """Return the slug of the article that an earlier run had at ``url`` itself, or ""."""
        slug = self.known_at(url)
        return slug if slug and same_page(self.place(slug), url) else ""

    def place(self, slug: str) -> str:
        """Return the URL where an earlier run's article is now, "" where there was none."""
        return self._places.get(f"{_SLUG}{slug}") or ""

    def move(self, slug: str, url: str) -> None:
        """Note that an earlier run's article is at ``url`` now."""
        self._places.put(f"{_SLUG}{slug}", url)

    def lead(self, url: str, slug: str) -> None:
        """Let ``url`` lead to the article ``slug``, wherever it led before."""
        self._names.put(url, slug)
        self.slugs.add_alias(url, slug)

    def give(self, slug: str, urls: Iterable[str]) -> None:
        """Let ``urls`` that lead to no article yet lead to the article ``slug``."""
        for url in urls:
            self._names.keep(url, slug)
            self.slugs.add_alias(url, slug)
