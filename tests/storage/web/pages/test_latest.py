"""The newest bytes under one address, and what stands there when they moved or are gone."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from msgspec import structs

from storage.model import Draft
from storage.web.resourcesync import WELL_KNOWN
from tests.storage.drafts import SITE, article, event, hour, stored, words
from tests.storage.web.serving import client_of

URL = f"https://{SITE}/news/story"


NEWEST = f"/latest/{SITE}"


def at(draft: Draft, url: str) -> Draft:
    """Put the only format of a snapshot under another URL."""
    (one,), (payload,) = draft.manifest.representations, draft.payloads
    shown = structs.replace(one, url=url, final_url=url)
    manifest = structs.replace(draft.manifest, url=url, representations=(shown,))
    return Draft(manifest=manifest, payloads=(structs.replace(payload, url=url),))


async def test_the_newest_bytes_stay_under_one_address(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition="1", seen=hour(1)))
    async with client_of(tmp_path) as client:
        for url in (URL, quote(URL, safe="")):
            got = await client.get(f"{NEWEST}/html/{url}")
            assert (got.status, got.body) == (200, words("story", "html", "1"))
        again = await client.get(f"{NEWEST}/html/{URL}", If_None_Match=got.headers["ETag"])
        assert again.status == 304
        assert (await client.get(f"{NEWEST}/text/{URL}")).status == 404
        assert (await client.get(f"/latest/nowhere/html/{URL}")).status == 404


async def test_what_moved_is_redirected_and_what_is_gone_says_so(tmp_path: Path) -> None:
    moved = at(article(edition="1", seen=hour(1), formats=("html",)), f"https://{SITE}/new")
    stored(tmp_path, article(), moved, article("other"), event("gone", "other", seen=hour(2)))
    async with client_of(tmp_path) as client:
        old = await client.get(f"{NEWEST}/html/{URL}")
        assert old.status == 301
        assert old.headers["Location"] == f"{client.address}{NEWEST}/html/https://{SITE}/new"
        assert (await client.get(f"{NEWEST}/html/https://{SITE}/new")).status == 200
        assert (await client.get(f"{NEWEST}/markdown/{URL}.md")).status == 404
        assert (await client.get(f"{NEWEST}/html/https://{SITE}/news/other")).status == 410


async def test_the_start_of_a_sites_newest_leads_to_its_lists(tmp_path: Path) -> None:
    stored(tmp_path, article())
    async with client_of(tmp_path) as client:
        page = await client.text(f"{NEWEST}/")
        assert f'rel="resourcesync" href="/resourcesync/{SITE}/capabilitylist.xml"' in page
        assert f'rel="resourcesync" href="{WELL_KNOWN}"' in await client.text("/")
