"""Which site an article belongs to. Pure.

The longest of overlapping scopes owns a URL; originals on other hosts belong to an implicit site of
their host, which owns nothing that a site of the user's does.
"""

from __future__ import annotations

from collections.abc import Iterable

from crawler.urls import in_scope, origin, same_page, site_name
from storage.model import Site

#: Where a URL's authority begins, or later: the first slash after it is the path's.
_AUTHORITY = len("https://")


class Sites:
    """The sites of a mirror and of a run. Mutable state: those known, and the owners by origin."""

    def __init__(self, known: Iterable[Site] = (), asked: Iterable[tuple[str, str]] = ()) -> None:
        """``asked`` are scopes that are sites of their own, each with its label or "".

        A label that the mirror has for a scope already stays.
        """
        self._sites: list[Site] = []
        # An archive may have thousands of sites, and every link of every page asks for its owner.
        self._owning: dict[str, list[Site]] = {}
        for site in known:
            # what an archive has is a normal form: its origin needs no parser
            self._take(site, site.scope[: site.scope.find("/", _AUTHORITY)])
        asked = list(asked)
        scopes = {scope for scope, _ in asked}
        for scope, label in asked:
            owner = self.owner(scope)
            # what is inside an older site stays that site's, unless the user tells them apart
            if owner is None or (owner.scope != scope and owner.scope in scopes):
                self._add(scope, label or site_name(scope))

    def owner(self, url: str) -> Site | None:
        """Return the site whose scope is the longest that holds ``url``; None: nobody's yet."""
        near = self._owning.get(origin(url), ())
        owning = [site for site in near if in_scope(url, site.scope)]
        if len(owning) <= 1:
            return owning[0] if owning else None
        return max(owning, key=lambda site: len(site.scope))

    def owner_or_new(self, url: str, scope: str, *, implicit: bool = False) -> Site:
        """Return the owner of ``url``, else the site of ``scope``, known from here on.

        A new site's label is its own even beside another scheme's.
        """
        owner = self.owner(url)
        if owner is not None:
            return owner
        return self._add(scope, site_name(scope), implicit=implicit)

    def _add(self, scope: str, name: str, *, implicit: bool = False) -> Site:
        if any(site.name == name and site.scope != scope for site in self._sites):
            name = site_name(scope, distinct=True)
        found = next((site for site in self._sites if site.name == name), None)
        if found is not None and (found.implicit or not implicit):
            if implicit or not found.implicit:
                return found
            self._sites.remove(found)
        site = Site(name=name, scope=scope, implicit=implicit)
        self._take(site, origin(site.scope))
        return site

    def _take(self, site: Site, place: str) -> None:
        self._sites.append(site)
        if not site.implicit:
            self._owning.setdefault(place, []).append(site)

    def near(self, site: Site) -> tuple[Site, ...]:
        """Return the sites of the same origin: no other changes what `holds` says of ``site``."""
        return tuple(self._owning.get(origin(site.scope), ()))

    def holds(self, site: Site, url: str) -> bool:
        """Say whether ``url`` is an article's of ``site`` and of no site inside it."""
        if site.implicit:
            return same_page(f"{origin(url)}/", site.scope)
        owner = self.owner(url)
        if owner is not None:
            return owner.name == site.name
        return in_scope(url, site.scope)
