"""Two snapshots of an article, word by word."""

from __future__ import annotations

import re
from pathlib import Path

from tests.storage.drafts import SITE, article, hour, stored
from tests.storage.web.serving import client_of


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
