"""The content digest: one hash over what a source says, so that an edit can be told from noise.

What this digest does not see is no edit. Hashed are, in this order and each led by its name and its
length in UTF-8 bytes: ``title``, ``summary``, every ``author``, the ``published`` day in UTC, and
``words``, and ``unread`` where there is any. Text is taken in NFC, with white space folded and
known tracking parameters removed from URLs. The order and the normal form are part of the archive's
format: a change is a new version here and in every extractor's name. Pure.
"""

from __future__ import annotations

import hashlib
from datetime import UTC
from functools import lru_cache

from crawler.facts import Facts
from crawler.folding import comparable
from crawler.urls import strip_tracking_in
from storage.model import ContentDigest

VERSION = 1
#: Short parts remembered, and the characters of one: every format of an article has the same title
#: and authors, and is digested next to the others.
_REMEMBERED, _SHORT = 256, 512


def content_digest(facts: Facts) -> ContentDigest | None:
    """Return the digest of ``facts``, or None where they hold neither a title nor words."""
    words = facts.words or facts.body or ""
    if not (facts.title or words):
        return None
    parts = [_part("title", facts.title or ""), _part("summary", facts.summary or "")]
    for author in facts.authors:
        parts.append(_part("author", author))  # noqa: PERF401  - one of many parts
    # The day only: a publisher who adds seconds, or changes its zone, has edited nothing.
    if facts.published_at is not None:
        day = facts.published_at.at.astimezone(UTC).date()
        parts.append(_part("published", day.isoformat()))
    content = _content(words)
    hashed = hashlib.sha256(b"%bwords %d\n" % (b"".join(parts), len(content)))
    # Not joined to the rest: a text may have megabytes.
    hashed.update(content)
    if facts.unread:
        hashed.update(_part("unread", facts.unread))
    return ContentDigest(digest=hashed.hexdigest(), extractor=f"{facts.extractor}+{VERSION}")


def normal_text(text: str) -> str:
    """Return ``text`` in NFC, white space folded, tracking parameters gone from its URLs."""
    folded = comparable(text)
    # Most texts hold no query at all, and looking for one costs more than all the rest.
    return strip_tracking_in(folded) if "?" in folded and "=" in folded else folded


def _part(name: str, text: str) -> bytes:
    """Return what is hashed of one field: its name, the length of its text, and its text."""
    return _short_part(name, text) if len(text) <= _SHORT else _any_part(name, text)


def _any_part(name: str, text: str) -> bytes:
    content = _content(text)
    return b"%b %d\n%b" % (name.encode(), len(content), content)


def _content(text: str) -> bytes:
    return normal_text(text).encode("utf-8", "surrogatepass")


_short_part = lru_cache(_REMEMBERED)(_any_part)
