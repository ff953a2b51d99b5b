"""A snapshot as one flat row: the seed's fields in the seed's order, then what we know of it.

The columns of Parquet, and the further keys of a full line of JSON.
"""

from __future__ import annotations

from typing import Any

from storage.export.choosing import Taken
from storage.export.reservations import reservations
from storage.model import Representation

#: The seed's fields, in the seed's order.
SEED = (
    "slug",
    "title",
    "summary",
    "body_md",
    "url",
    "canonical_source",
    "published_at",
    "updated_at",
    "lang",
    "topics",
    "entities",
    "alternates",
)


def seed_fields(one: Taken) -> dict[str, Any]:
    """Return the record's values under the seed's keys; null where nobody said."""
    record = one.manifest.record
    if record is None:
        empty = dict.fromkeys(SEED) | {"topics": (), "entities": (), "alternates": {}}
        return empty | {"slug": one.row.slug, "url": one.row.url}
    return {name: getattr(record, name) for name in SEED}


def further_fields(one: Taken) -> dict[str, Any]:
    """Return what the archive knows besides: version, times, digests, findings, usage.

    ``key_updated_at`` is what the snapshot is filed under, the seed's ``updated_at`` only what the
    publisher said; ``fetched_at`` is when the last of its formats was fetched; ``gone_at`` when
    the article was gone after it.
    """
    row, manifest = one.row, one.manifest
    return {
        "site": row.site,
        "key_updated_at": row.updated_at,
        "key_unit": row.unit,
        "key_source": row.source,
        "revision": row.revision,
        "sequence": row.sequence,
        "reason": row.reason,
        "state": row.state,
        "missing": manifest.missing,
        "observed_at": row.observed_at,
        "fetched_at": max((r.fetched_at for r in manifest.representations), default=None),
        "gone_at": row.gone_at,
        "formats": [_format(each) for each in manifest.representations],
        "content": [
            {"source": source, "digest": each.digest, "extractor": each.extractor}
            for source, each in manifest.content.items()
        ],
        "findings": [
            {"kind": each.kind, "detail": each.detail, "formats": list(each.formats)}
            for each in manifest.findings
        ],
        "usage": manifest.usage,
        "reserved": list(reservations(manifest.usage)),
        "aliases": list(manifest.aliases),
        "implicit": row.implicit,
        "private": row.private,
        "run": row.run,
        "id": row.id,
    }


def _format(one: Representation) -> dict[str, Any]:
    return {
        "format": one.format,
        "url": one.url,
        "final_url": one.final_url,
        "status": one.status,
        "media_type": one.media_type,
        "content_encoding": one.content_encoding,
        "digest": one.digest,
        "length": one.length,
        "fetched_at": one.fetched_at,
        "etag": one.etag,
        "last_modified": one.last_modified,
        "declared_by": list(one.declared_by),
        "stored": bool(one.record_id),
        "particulars": [{"name": n, "value": str(value)} for n, value in one.particulars.items()],
    }
