"""The home page: what changed lately, and every site."""

from __future__ import annotations

from storage.archive import Asked
from storage.model import Site
from storage.web import templating
from storage.web.answer import Answer
from storage.web.reading import ThreadArchive
from storage.web.request import Request

#: Changes shown: what fits a few screens; the feed has more.
MOST_CHANGES = 40


def page(reading: ThreadArchive, _request: Request) -> Answer:
    """Show the home page, made once for all who come before the next change."""
    body = reading.part("home", made=lambda: _made(reading))
    return Answer(body=body)


def _made(reading: ThreadArchive) -> bytes:
    found = reading.archive.changes(Asked(last=MOST_CHANGES))
    changes = [one for one in found if reading.private or not one.private]
    sites = reading.archive.sites()
    return templating.page(
        "home.html",
        changes=changes[::-1],
        sites=[_site(reading, site) for site in sites if not site.implicit],
        originals=[_site(reading, site) for site in sites if site.implicit],
        behind=reading.behind(),
    ).body


def _site(reading: ThreadArchive, site: Site) -> dict[str, object]:
    return {"name": site.name, "scope": site.scope, "articles": reading.catalogue.count(site.name)}
