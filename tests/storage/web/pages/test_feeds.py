"""The Atom feeds: of all, of a site, of an article."""

from __future__ import annotations

from pathlib import Path

from tests.storage.drafts import SITE, article, stored
from tests.storage.web.serving import client_of


async def test_feeds_are_of_all_of_a_site_and_of_an_article(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("other"), article("far", site="far.example"))
    async with client_of(tmp_path) as client:
        counts = [
            (await client.text(path)).count("<entry>")
            for path in (
                "/feed.atom",
                f"/feed.atom?site={SITE}",
                f"/feed.atom?site={SITE}&slug=story",
            )
        ]
        assert counts == [3, 2, 1]
        assert (await client.get("/feed.atom")).type == "application/atom+xml"
