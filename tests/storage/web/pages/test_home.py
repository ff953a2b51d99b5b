"""The home page: what changed lately, and every site."""

from __future__ import annotations

from pathlib import Path

from tests.storage.drafts import SITE, article, event, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import named


async def test_home_shows_what_changed_newest_first_and_every_site(tmp_path: Path) -> None:
    stored(tmp_path, named("Rails laid"), article("other", seen=hour(1)))
    stored(tmp_path, event("gone", seen=hour(2)))
    async with client_of(tmp_path) as client:
        text = await client.text("/")
        assert text.index(">Gone<") < text.index("The other") < text.rindex("Rails laid")
        assert f'href="/sites/{SITE}"' in text
