"""A site's page: its articles, found by words and by filters, part by part."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import html
from msgspec import structs

from storage.model import Key
from tests.storage.drafts import SITE, article, event, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import named


async def test_a_sites_articles_are_found_by_words_and_filters(tmp_path: Path) -> None:
    old = named("Roads mended", "roads", lang="de", topics=("Roads",), entities=())
    key = Key(updated_at=hour(-90), unit="second", source="json")
    moved = structs.replace(old.manifest, key=key)
    stored(tmp_path, named("Rails laid", "rails"), structs.replace(old, manifest=moved))
    stored(tmp_path, event("gone", "roads", seen=hour(3)))
    async with client_of(tmp_path) as client:
        shown = {}
        for query in (
            "", "q=rail", "q=mended+roads", "q=nothing", "language=de", "topic=Roads", "topic=Rail",
            "entity=City+Council", "state=gone", "state=here", "from=2026-06-18", "to=2026-06-18",
            "topic=Roads&language=en", "q=mended&topic=Rail", "topic=None",
        ):  # fmt: skip
            text = await client.text(f"/sites/{SITE}?{query}")
            shown[query] = ("Rails laid" in text, "Roads mended" in text)
        assert shown == {
            "": (True, True), "q=rail": (True, False), "q=mended+roads": (False, True),
            "q=nothing": (False, False), "language=de": (False, True), "topic=Roads": (True, True),
            "topic=Rail": (True, False), "entity=City+Council": (True, False),
            "state=gone": (False, True), "state=here": (True, False),
            "from=2026-06-18": (True, False), "to=2026-06-18": (False, True),
            "topic=Roads&language=en": (True, False), "q=mended&topic=Rail": (False, False),
            "topic=None": (False, False),
        }  # fmt: skip
        everywhere = await client.text("/search?q=rails")
        assert "Rails laid" in everywhere
        assert "Roads mended" not in everywhere


async def test_a_long_list_goes_on_where_it_stopped(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"story-{n:03}") for n in range(60)))
    async with client_of(tmp_path) as client:
        path: str | None = f"/sites/{SITE}"
        found: list[str] = []
        while path:
            tree = html.document_fromstring(await client.text(path))
            found += tree.xpath("//ol[@class='articles']//h3/a/@href")
            path = next(iter(tree.xpath("//a[@rel='next']/@href")), None)
        assert len(found) == len(set(found)) == 60


@pytest.mark.parametrize("slug", ["..", ".", "a/b", "ü 100%", "feed.atom", "a?b#c", "{x}", "日本"])
async def test_an_article_of_any_slug_has_a_page(tmp_path: Path, slug: str) -> None:
    stored(tmp_path, article(slug))
    async with client_of(tmp_path) as client:
        tree = html.document_fromstring(await client.text(f"/sites/{SITE}"))
        (link,) = tree.xpath("//ol[@class='articles']//h3/a/@href")
        assert "1 snapshot;" in await client.text(link)
