"""The Atom feed of changes: of all sites, of one, of one article."""

from __future__ import annotations

import io

from storage.export.choosing import Chosen
from storage.export.feed import export_feed
from storage.web.answer import Answer
from storage.web.lists import known_article, known_site
from storage.web.reading import ThreadArchive
from storage.web.request import Request, not_there

ATOM = "application/atom+xml; charset=utf-8"


def atom(reading: ThreadArchive, request: Request) -> Answer:
    """Return the newest changes, of ``site`` and ``slug`` where they are given."""
    site = request.text("site") or None
    slug = None
    if site is None and request.text("slug"):
        raise not_there("An article's feed goes by its site and slug, and no site was given.")
    if site is not None:
        known_site(reading, request, site)
        if request.text("slug"):
            site, slug = known_article(reading, request)

    def made() -> bytes:
        out = io.BytesIO()
        export_feed(reading.archive, out, Chosen(site=site, private=reading.private), slug=slug)
        return out.getvalue()

    body = reading.part("feed", site or "", slug or "", made=made)
    return Answer(body=body, content_type=ATOM)
