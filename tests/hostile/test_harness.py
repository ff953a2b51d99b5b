"""The kit itself: a healthy site is kept whole, and what the harness watches for it does see."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.fault_server import SLUGS, answer, fault_server
from tests.hostile.harness import mirror, slugline, turned_bad


async def test_a_healthy_site_is_kept_to_the_byte(tmp_path: Path) -> None:
    async with fault_server() as site:
        outcome = await mirror(site, tmp_path)
        outcome.holds(site)
        assert outcome.code == 0
        assert outcome.errors == {}
        assert sorted(outcome.kept(site)) == sorted(SLUGS)
        assert site.counts["/news/bridge.md"] == 1


async def test_what_is_not_as_it_was_served_is_seen(tmp_path: Path) -> None:
    async with fault_server() as site:
        url = site.fault("/news/bad", answer("500 Oh"))
        outcome = await mirror(site, tmp_path)
        outcome.holds(site, url, "the server answered 500")
        site.articles["bridge"]["text"] += b"!"
        with pytest.raises(AssertionError, match="bridge, text"):
            outcome.healthy(site)


async def test_an_article_that_turns_bad_stays_as_it_was(tmp_path: Path) -> None:
    async with fault_server() as site:
        outcome = await turned_bad(site, tmp_path, "bridge", {".md": answer(body=b"")})
        told = "no markdown: the body is empty; what was kept stands"
        assert outcome.errors == {site.url("/news/bridge.md"): told}
        assert outcome.body(site, "bridge", "markdown") == site.articles["bridge"]["markdown"]


async def test_any_command_can_be_run(tmp_path: Path) -> None:
    async with fault_server() as site:
        await mirror(site, tmp_path)
        outcome = await slugline(tmp_path, "list", "--mirror", str(tmp_path / "watched" / "mirror"))
        outcome.sane(0)
        assert "harbour" in outcome.stdout
