"""Articles that the pages are shown of."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from msgspec import structs

from storage.model import Draft, Record
from tests.storage.drafts import SITE, UPDATED, article

STORY = f"/sites/{SITE}/story"


def named(title: str, slug: str = "story", **changes: Any) -> Draft:
    """Return a snapshot whose record says more."""
    draft = article(slug)
    url = draft.manifest.url
    facts: dict[str, Any] = {
        "title": title, "body_md": f"{title} body", "lang": "en", "topics": ("Rail", "Roads"),
        "entities": ("City Council",), "updated_at": UPDATED,
    }  # fmt: skip
    record = Record(slug=slug, url=url, **(facts | changes))
    return structs.replace(draft, manifest=structs.replace(draft.manifest, record=record))


def with_body(one: Any, body: bytes) -> Any:
    return structs.replace(one, digest=sha256(body).hexdigest(), length=len(body))
