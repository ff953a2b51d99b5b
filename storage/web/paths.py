"""Addresses of this server's own pages: every link and redirect is made here, percent-encoded.

RFC 3986 section 2: whatever is not unreserved is encoded, slashes of a slug too, so that a slug is
one segment of a path whatever it holds.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from storage.index.rows import SnapshotRow
from storage.times import format_utc

#: What a mirrored URL keeps as it is behind one of our prefixes; ``?`` begins its own query.
_URL_SAFE = "%/:?&=+,;@!$'()*~[]|^`{}"
#: Most names: quicker to see than to encode. ``.`` and ``..`` are none of them.
_UNRESERVED = re.compile("[A-Za-z0-9_~-][A-Za-z0-9._~-]*")
#: Segments that a client takes out of a path before it asks (WHATWG URL, "double-dot").
_DOTS = {".": "%252E", "..": "%252E%252E"}


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    if _UNRESERVED.fullmatch(name):
        return name
    return _DOTS.get(name) or quote(name, safe="")


def site_path(site: str, **query: str | None) -> str:
    """Return where a site's articles are listed; a query's parts that are None are left out."""
    return f"/sites/{segment(site)}{query_of(**query)}"


def article_path(site: str, slug: str) -> str:
    """Return an article's page."""
    return f"/sites/{segment(site)}/{segment(slug)}"


def key_of(updated_at: datetime, revision: int) -> str:
    """Return a snapshot's key as paths, forms and ``slugline diff`` take it: UPDATED_AT.rN."""
    return f"{format_utc(updated_at)}.r{revision}"


def row_key(row: SnapshotRow) -> str:
    """Return a snapshot's key."""
    return key_of(row.updated_at, row.revision)


def snapshot_path(row: SnapshotRow) -> str:
    """Return a snapshot's page."""
    return f"{article_path(row.site, row.slug)}/{quote(row_key(row), safe=':')}"


def format_path(row: SnapshotRow, name: str, end: str = "") -> str:
    """Return the page of a snapshot's format; ``end`` is ``frame`` or ``raw`` for what it shows."""
    return f"{snapshot_path(row)}/{segment(name)}{end and f'/{end}'}"


def compare_path(old: SnapshotRow, new: SnapshotRow, name: str | None = None) -> str:
    """Return the comparison of two snapshots of an article."""
    return "/compare" + query_of(
        **{"site": old.site, "slug": old.slug, "from": row_key(old), "to": row_key(new)},
        format=name,
    )


def feed_path(site: str | None = None, slug: str | None = None) -> str:
    """Return the feed of changes: of all, a site, an article."""
    return "/feed.atom" + query_of(site=site, slug=slug)


def uri(url: str) -> str:
    """Return a mirrored URL as it may stand in a header field: no space, quote or bracket in it."""
    return quote(url, safe=_URL_SAFE)


def memento_path(url: str, moment: datetime) -> str:
    """Return where a URL's bytes of a moment are (RFC 7089's URI-M)."""
    return f"/memento/{moment.astimezone(UTC):%Y%m%d%H%M%S}/{uri(url)}"


def timegate_path(url: str) -> str:
    """Return a URL's TimeGate (URI-G)."""
    return f"/timegate/{uri(url)}"


def timemap_path(url: str, kind: str = "link", page: int = 1) -> str:
    """Return a URL's TimeMap (URI-T), or a further page of it."""
    number = "" if page == 1 else f"{page}/"
    return f"/timemap/{kind}/{number}{uri(url)}"


def query_of(**values: str | None) -> str:
    """Return a query string with its ``?``; parts that are None or "" are left out."""
    given = {name: value for name, value in values.items() if value}
    return f"?{urlencode(given)}" if given else ""
