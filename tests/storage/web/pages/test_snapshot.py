"""One snapshot's page, by whatever names it."""

from __future__ import annotations

from pathlib import Path

from tests.storage.drafts import article, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import STORY


async def test_a_snapshot_is_found_by_key_moment_and_number(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition="!", reason="silent-edit", seen=hour(5)))
    key = "2026-06-19T09:13:50.166750Z"
    async with client_of(tmp_path) as client:
        for spec, revision in (
            (f"{key}.r0", 0), (f"{key}.r1", 1), (key, 1), ("1", 0), ("2", 1),
            ("2026-06-20T13:00:00Z", 0), ("2026-06-20", 1),
        ):  # fmt: skip
            text = await client.text(f"{STORY}/{spec}")
            assert f"revision {revision}" in text, spec
        links = (await client.get(f"{STORY}/{key}.r0")).headers["Link"]
        assert f'<{STORY}/{key}.r1>; rel="successor-version"' in links
