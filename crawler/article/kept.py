"""What the archive has of an article, as judging a new reading of it needs it.

Functions of an open archive, to be run in the writer's reading thread; nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from msgspec import structs

from crawler.article.format_set import Known
from crawler.article.reading import Reading
from crawler.article.snapshot import Candidate
from crawler.digest import content_digest
from crawler.facts import Malformed
from crawler.folding import comparable
from crawler.formats import parse
from storage.archive import Archive
from storage.errors import ArchiveError
from storage.model import ContentDigest, Manifest

#: Earlier snapshots with the same words that are looked at for a revert: they differ in the rest.
_ENOUGH = 16


def known_article(archive: Archive, site: str, slug: str) -> Known:
    """Return an article's newest snapshot, and the validators of its formats."""
    newest = archive.newest(site, slug)
    if newest is None:
        return Known()
    return Known(
        newest=newest, validators=archive.validators(each.url for each in newest.representations)
    )


def by_title(archive: Archive, site: str) -> dict[str, list[str]]:
    """Return a site's articles by their folded titles, captured originals left out."""
    found: dict[str, list[str]] = {}
    for row in archive.newest_all(site):
        if row.title and row.gone_at is None:
            found.setdefault(comparable(row.title), []).append(row.slug)
    return found


def earlier_contents(
    archive: Archive, newest: Manifest, edited: Mapping[str, ContentDigest]
) -> list[dict[str, ContentDigest]]:
    """Return what the last few snapshots before ``newest`` that had the ``edited`` words had."""
    like = archive.with_words(newest.site, newest.slug, newest.sequence, edited)
    return [manifest.content for manifest in islice(like, _ENOUGH)]


def extracted_otherwise(newest: Manifest, candidate: Candidate) -> bool:
    """Say whether a stored digest was made by another version of its extractor."""
    now = candidate.assembly.content
    return any(
        source in now and now[source].extractor != old.extractor
        for source, old in newest.content.items()
    )


def redigested(archive: Archive, newest: Manifest, reading: Reading) -> Manifest:
    """Digest the stored bodies with today's extractors, so that only words are compared."""
    content = {}
    for name, copy in reading.copies.items():
        shown = newest.representation(name)
        if copy.facts.source not in newest.content or shown is None:
            continue
        try:
            body = archive.body(newest, name)
            facts = parse(name, body.decoded, shown.base, shown.media_type)
        except (ArchiveError, Malformed):
            continue
        if (digest := content_digest(facts)) is not None:
            content[copy.facts.source] = digest
    return structs.replace(newest, content=content)
