"""What came of a reading that was handed over: the event that tells it, the validators left. Pure.

A validator lives with its body: of one that the store did not take, none is kept.
"""

from __future__ import annotations

from datetime import datetime

from crawler.article.reading import Reading
from crawler.events import Happened, Stored
from storage.model import Manifest, Validator


def told(manifest: Manifest, now: datetime) -> Stored | Happened:
    """Return the event that says that ``manifest`` is durable and visible ``now``."""
    return _event(manifest) if manifest.kind == "event" else _snapshot(manifest, now)


def not_stored(reading: Reading, *, all_of_them: bool = True) -> list[Validator]:
    """Return empty validators in place of those that the store does not take from the snapshot.

    That is where the server gave none, and where no body is stored (noarchive): an older one of
    that URL's belongs to another body, and must not be used any more.
    """
    given = (copy.validator for copy in reading.copies.values())
    return [
        Validator(url=each.url, digest=each.digest)
        for each in given
        if all_of_them or not (each.etag or each.last_modified)
    ]


def _snapshot(manifest: Manifest, now: datetime) -> Stored:
    key = manifest.key
    return Stored(
        at=now,
        site=manifest.site,
        slug=manifest.slug,
        url=manifest.url,
        updated_at=key.updated_at if key else manifest.observed_at,
        revision=manifest.revision,
        reason=manifest.reason or "first",
        state=manifest.state,
        formats=tuple(each.format for each in manifest.representations),
        missing=manifest.missing,
        findings=tuple(each.kind for each in manifest.findings),
    )


def _event(manifest: Manifest) -> Happened:
    return Happened(
        at=manifest.observed_at,
        site=manifest.site,
        slug=manifest.slug,
        url=manifest.url,
        event=manifest.event or "",
    )
