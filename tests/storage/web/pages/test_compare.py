"""Two snapshots of an article, word by word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec import structs

from storage.model import Draft
from tests.storage.drafts import SITE, article, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import with_body


async def test_two_snapshots_are_compared_word_by_word(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition=" again", reason="silent-edit", seen=hour(5)))
    key = "2026-06-19T09:13:50.166750Z"
    async with client_of(tmp_path) as client:
        query = f"/compare?site={SITE}&slug=story"
        text = await client.text(query)
        assert re.search(r"<ins> ?again", text)
        assert "2 words added" not in text
        back = await client.text(f"{query}&from={key}.r1&to={key}.r0&format=html")
        assert re.search(r"<del> ?again", back)
        assert "1 word taken" in back
        same = await client.text(f"{query}&from=1&to=1")
        assert "is the same in both" in same
        assert "unchanged line" not in await client.text(f"{query}&whole")


async def test_what_can_not_be_compared_is_refused_or_said(tmp_path: Path) -> None:
    stored(
        tmp_path,
        article("hidden", private=True),
        article("apart", formats=("html",)),
        article("apart", formats=("markdown",), seen=hour(1), reason="format-added"),
        large("long", b"word " * 120_000),
        large("long", b"words " * 120_000, seen=hour(1), reason="edit"),
    )
    async with client_of(tmp_path) as client:
        for slug, said in (("hidden", "shows no snapshot of"), ("apart", "no format in common")):
            got = await client.get(f"/compare?site={SITE}&slug={slug}")
            assert got.status == 404
            assert said in got.text
        text = await client.text(f"/compare?site={SITE}&slug=long")
        assert "<ins>" not in text
        assert "compared word by word: they are no text, or too long." in text


def large(slug: str, body: bytes, **more: Any) -> Draft:
    """Return a snapshot of one text of many words."""
    draft = article(slug, formats=("text",), **more)
    (one,) = draft.manifest.representations
    manifest = structs.replace(draft.manifest, representations=(with_body(one, body),))
    return Draft(manifest=manifest, payloads=(structs.replace(draft.payloads[0], body=body),))
