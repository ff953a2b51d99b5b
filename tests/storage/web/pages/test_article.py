"""An article's page: its history, who declared what, and what it is tied to."""

from __future__ import annotations

from pathlib import Path

from lxml import html
from msgspec import structs

from storage.model import Draft, Finding
from tests.storage.drafts import SITE, article, event, hour, stored
from tests.storage.web.serving import client_of
from tests.storage.web.stories import STORY, named


async def test_an_article_shows_its_history_record_and_who_declared_what(tmp_path: Path) -> None:
    first = named("Rails laid", body_md="One two three", canonical_source="https://orig.example/1")
    other = named("The copy", "copy", canonical_source="https://orig.example/1")
    second = named("Rails laid", body_md="One 2 three four")
    edited = structs.replace(
        second.manifest, observed_at=hour(1), reason="silent-edit", said={"title": "jsonld"},
        findings=(Finding(kind="went-backwards", detail="a day"),), usage={"x-robots-tag": "noai"},
    )  # fmt: skip
    silent = article(edition="!", seen=hour(1))
    stored(tmp_path, first, other, Draft(
        manifest=structs.replace(edited, representations=silent.manifest.representations),
        payloads=silent.payloads,
    ))  # fmt: skip
    async with client_of(tmp_path) as client:
        text = await client.text(STORY)
        assert "2 snapshots" in text
        assert "\N{MINUS SIGN}1</span> <span" in text
        assert "+2</span>" in text
        for said in ("Edited in silence", "went-backwards", "noai", "jsonld", "City Council"):
            assert said in text
        assert 'rel="version-history"' in (await client.get(STORY)).headers["Link"]
        copy = await client.text(f"/sites/{SITE}/copy")
        assert "https://orig.example/1" in copy
        assert "which is not in this archive" in copy


async def test_what_a_format_alone_can_tell_stands_among_who_declared_what(tmp_path: Path) -> None:
    stored(tmp_path, article(formats=("html",), particulars={"pages": 12}))
    async with client_of(tmp_path) as client:
        page = html.document_fromstring((await client.get(STORY)).text)
    rows = [
        [cell.text_content() for cell in row]
        for row in page.xpath('//table[@class="cards said"]/tbody/tr')
    ]
    assert ["pages", "html", "12"] in rows


async def test_one_snapshot_has_nothing_to_be_compared_with(tmp_path: Path) -> None:
    stored(tmp_path, article(), article("twice"), article("twice", edition="!", seen=hour(1)))
    async with client_of(tmp_path) as client:
        for path, several in ((STORY, False), (f"/sites/{SITE}/twice", True)):
            text = await client.text(path)
            assert [part in text for part in ('name="from"', "Timeline of", "Compare word")] == [
                several
            ] * 3
            assert ">html</a>" in text


async def test_the_same_original_ties_articles_together(tmp_path: Path) -> None:
    one = named("One", "one", canonical_source="https://orig.example/1")
    two = named("Two", "two", canonical_source="https://orig.example/1")
    stored(tmp_path, one, two)
    async with client_of(tmp_path) as client:
        text = await client.text(f"/sites/{SITE}/one")
        assert "Others that name it" in text
        assert f'href="/sites/{SITE}/two"' in text


async def test_a_forgotten_article_leaves_its_reason(tmp_path: Path) -> None:
    stored(tmp_path, event("forgotten", detail={"reason": "a court said so"}))
    async with client_of(tmp_path) as client:
        got = await client.get(STORY)
        assert got.status == 410
        assert "a court said so" in got.text


async def test_a_long_history_is_shown_in_parts(tmp_path: Path) -> None:
    stored(tmp_path, *(article(edition=str(n), seen=hour(n), reason="edit") for n in range(60)))
    async with client_of(tmp_path) as client:
        tree = html.document_fromstring(await client.text(STORY))
        (older,) = tree.xpath("//a[@rel='next']/@href")
        assert len(tree.xpath("//input[@name='to']")) == 50
        rest = html.document_fromstring(await client.text(older))
        assert len(rest.xpath("//input[@name='to']")) == 10


async def test_an_article_that_was_only_seen_to_be_gone_has_no_page(tmp_path: Path) -> None:
    stored(tmp_path, event("gone"), event("returned", seen=hour(1)))
    async with client_of(tmp_path) as client:
        got = await client.get(STORY)
        assert got.status == 404
        assert "The archive shows no snapshot of" in got.text
