"""The content digest: one hash over what a source says, so that an edit can be told from noise.

What this digest does not see is no edit. Hashed are, in this order and each led by its name and its
length in UTF-8 bytes: ``title``, ``summary``, every ``author``, the ``published`` day in UTC, and
``words``, and ``unread`` where there is any. Text is taken in NFC, with white space folded and
known tracking parameters removed from URLs. The order and the normal form are part of the archive's
format: a change is a new version here and in every extractor's name. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC

from crawler.facts import Facts
from crawler.folding import comparable
from crawler.urls import strip_tracking_in
from storage.model import ContentDigest

VERSION = 1


def content_digest(facts: Facts) -> ContentDigest | None:
    """Return the digest of ``facts``, or None where they hold neither a title nor words."""
    if not (facts.title or facts.words or facts.body):
        return None
    hashed = hashlib.sha256()
    for name, value in _parts(facts):
        content = normal_text(value).encode("utf-8", "surrogatepass")
        hashed.update(f"{name} {len(content)}\n".encode())
        hashed.update(content)
    return ContentDigest(digest=hashed.hexdigest(), extractor=f"{facts.extractor}+{VERSION}")


def normal_text(text: str) -> str:
    """Return ``text`` in NFC, white space folded, tracking parameters gone from its URLs."""
    folded = comparable(text)
    # Most texts hold no query at all, and looking for one costs more than all the rest.
    return strip_tracking_in(folded) if "?" in folded and "=" in folded else folded


def _parts(facts: Facts) -> Iterator[tuple[str, str]]:
    yield "title", facts.title or ""
    yield "summary", facts.summary or ""
    for author in facts.authors:
        yield "author", author
    # The day only: a publisher who adds seconds, or changes its zone, has edited nothing.
    if facts.published_at is not None:
        yield "published", facts.published_at.at.astimezone(UTC).date().isoformat()
    yield "words", facts.words or facts.body or ""
    if facts.unread:
        yield "unread", facts.unread
