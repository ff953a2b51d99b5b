"""What lists of articles show, and how an article is found by what a path says of it."""

from __future__ import annotations

from datetime import datetime

from storage.archive import SnapshotRow
from storage.errors import NoSuchArticle
from storage.index import versions
from storage.times import WhenError, parse_rfc3339
from storage.web.reading import ThreadArchive
from storage.web.request import Request, not_there, wrong

#: Articles of one page of a list.
MOST_LISTED = 30
#: Articles that a search shows, the best: each hit costs a look into its text.
MOST_FOUND = 20
#: Characters of ``.r`` and its number at most, as select.py reads them.
_REVISION = ".r"


def known_site(reading: ThreadArchive, request: Request, name: str | None = None) -> str:
    """Return the site that the path names. Raises Refusal where the archive has none."""
    site = request.part("site") if name is None else name
    if not reading.archive.index.ask("SELECT 1 FROM sites WHERE name = :name", name=site):
        raise not_there(f"The archive has no site {site!r}.")
    return site


def known_article(reading: ThreadArchive, request: Request) -> tuple[str, str]:
    """Return the article that the path or the parameters name. Raises Refusal.

    Its second slugs lead to it too; ``.`` and ``..`` can only come doubly encoded.
    """
    site = request.parts["site"] if "site" in request.parts else request.text("site")
    slug = request.part("slug") if "slug" in request.parts else request.text("slug")
    found = reading.archive.resolve(slug, site) if slug else []
    if not found and slug in _DOUBLY:
        found = reading.archive.resolve(_DOUBLY[slug], site)
    if not found:
        raise not_there(f"The archive has no article {slug!r} on {site!r}.")
    return found[0]


_DOUBLY = {"%2E": ".", "%2E%2E": ".."}


def known_snapshot(
    reading: ThreadArchive, request: Request, site: str, slug: str, spec: str
) -> SnapshotRow:
    """Return the snapshot that ``spec`` means: UPDATED_AT[.rN], a moment or a sequence number.

    Raises Refusal.
    """
    row = _by_key(reading, site, slug, spec)
    if row is not None:
        return row
    try:
        row = reading.archive.select(site, slug, spec, request.now)
    except WhenError as error:
        raise wrong(f"{error}.") from error
    except NoSuchArticle as error:
        raise not_there(f"{error}.") from error
    if row.private and not reading.private:
        raise not_there(f"The archive shows no snapshot {spec} of {slug!r}.")
    return row


def _by_key(reading: ThreadArchive, site: str, slug: str, spec: str) -> SnapshotRow | None:
    """Return the snapshot of an exact key, without its article's whole history; None: no key."""
    written, mark, number = spec.rpartition(_REVISION)
    stamp = parse_rfc3339(written) if mark and number.isascii() and number.isdigit() else None
    if stamp is None or len(number) > 9:  # noqa: PLR2004  - as select.py reads it
        return None
    at: datetime = stamp.at
    return versions.by_key(
        reading.archive.index, site, slug, at, int(number), private=reading.private
    )
