"""The columns of the rows that follow from manifests: deriving.py makes them, index.py writes them.

schema.py has the tables; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping

#: The columns of truths, whichever table has them.
BOOLEANS = frozenset({"finished", "folder", "implicit", "is_url", "private"})
_COMMON = (
    "id",
    "site",
    "slug",
    "sequence",
    "url",
    "observed_at",
    "run",
    "implicit",
    "segment",
    "offset",
    "length",
    "head",
)
#: The columns of what follows from manifests, in the order of their values. The representations'
#: and the URLs' first one, the article's number, is not a manifest's to know.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "sites": ("name", "scope", "implicit"),
    "articles": ("site", "slug", "url", "last", "newest", "placed"),
    "snapshots": (
        *_COMMON,
        "updated_at",
        "unit",
        "source",
        "revision",
        "reason",
        "state",
        "formats",
        "missing",
        "findings",
        "title",
        "content",
        "private",
    ),
    "events": (*_COMMON, "event", "detail"),
    "representations": (
        "article",
        "sequence",
        "format",
        "url",
        "final_url",
        "digest",
        "size",
        "fetched_at",
        "content_encoding",
        "payload_digest",
        "record_id",
        "target_id",
        "file",
        "offset",
        "length",
    ),
    "urls": ("article", "mark", "format", "file"),
    "files": ("mark", "folder"),
    "names": ("site", "name", "slug", "is_url", "seen_at"),
    "validators": ("mark", "etag", "last_modified", "digest", "seen_at"),
}
