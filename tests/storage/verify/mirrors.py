"""A small mirror that has one of everything: revisits, events, a rename, captured originals."""

from __future__ import annotations

from pathlib import Path

from storage.segments.appending import SEGMENT_BYTES
from tests.storage.drafts import article, event, hour, keep, open_store


def filled(root: Path, *, segment_bytes: int = SEGMENT_BYTES, articles: int = 6) -> Path:
    """Store some articles in two runs, and return ``root``."""
    first = open_store(root, segment_bytes=segment_bytes)
    try:
        keep(first, *(article(f"a{n}", coding="gzip" if n % 2 else "") for n in range(articles)))
        keep(first, article("origin", site="other.example", implicit=True))
    finally:
        first.close()
    second = open_store(root, now=hour(1), segment_bytes=segment_bytes)
    try:
        keep(
            second,
            *(
                article(
                    f"a{n}", edition=" again" if n < 3 else "", seen=hour(1), updated=hour(n),
                    coding="gzip" if n % 2 else "", reason="edit",
                )
                for n in range(articles)
            ),
        )  # fmt: skip
        keep(second, event("gone-seen", "a0", seen=hour(2)), event("gone", "a0", seen=hour(3)))
        detail = {"from": "https://news.example/old", "to": "https://news.example/news/a1"}
        keep(second, event("moved", "a1", seen=hour(4), detail=detail | {"slug": "old"}))
        late = article("a2", edition=" again", seen=hour(5), updated=hour(9), reason="edit")
        keep(second, late)
    finally:
        second.close()
    return root
