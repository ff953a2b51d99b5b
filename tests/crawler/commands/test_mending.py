"""verify --repair: what the site still serves is brought back, and it is said what is not."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from crawler.commands.mending import tell_mended
from storage.upkeep.repair import Repaired
from tests.crawler.runs import run
from tests.crawler.small_site import Page, SmallSite
from tests.crawler.test_forgotten_runs import pages, story
from tests.storage.drafts import segment_files
from tests.storage.upkeep.test_prune import readable
from tests.storage.verify.harming import problems


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Write settings without a limit of pace."""
    path = tmp_path / "config.toml"
    path.write_text("[defaults]\nrate = 0\n[fetch]\nattempts = 1\n")
    return path


def harm(root: Path, slug: str, name: str = "") -> None:
    """Damage an article's first manifest, or its first body of the format ``name``."""
    body = """SELECT segment, shown."offset", shown.length FROM snapshots
              JOIN articles ON articles.slug = snapshots.slug
              JOIN representations AS shown ON shown.article = articles.n
              WHERE articles.slug = ? AND shown.format = ?"""
    manifest = "SELECT segment, \"offset\", head FROM snapshots WHERE slug = ? AND '' = ?"
    with closing(sqlite3.connect(root / "index.sqlite")) as connection:
        ((segment, offset, length),) = connection.execute(body if name else manifest, (slug, name))
    path = root / "segments" / segment
    data = bytearray(path.read_bytes())
    data[offset + length // 2] ^= 1
    path.write_bytes(data)


async def repaired(root: Path, *flags: str) -> tuple[int, str]:
    code = "from crawler.cli import main; main()"
    arguments = ("verify", "--repair", "--mirror", str(root), *flags)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, *arguments, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_what_the_site_still_serves_is_brought_back(tmp_path: Path, config: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path / "m")
        before = {key[::2]: body for key, body in readable(tmp_path / "m").items()}
        harm(tmp_path / "m", "ada", "markdown")
        harm(tmp_path / "m", "bob")
        site.asked.clear()
        code, told = await repaired(tmp_path / "m", "--config", str(config))
        assert (code, "Brought back from the site: 2 editions." in told) == (0, True)
        assert not [path for path in site.asked if path in ("/", "/sitemap.xml", "/feed")]
    assert problems(tmp_path / "m") == []
    after = {key[::2]: body for key, body in readable(tmp_path / "m").items()}
    assert after == before


async def test_what_it_does_not_serve_any_more_is_named(tmp_path: Path, config: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path / "m")
        harm(tmp_path / "m", "ada", "html")
        site.pages["/news/ada"] = story(
            "ada", "Ada was seen in a blue coat at noon on Monday", twin="ada"
        )
        harm(tmp_path / "m", "bob")
        site.pages["/news/bob"] = Page(status=404)
        code, told = await repaired(tmp_path / "m", "--config", str(config), "--json")
    assert code == 1
    lines = [msgspec.json.decode(line) for line in told.splitlines()]
    (still,) = (line for line in lines if line.get("kind") == "not-brought-back")
    assert sorted(one["slug"] for one in still["editions"]) == ["ada", "bob"]
    assert lines[-1]["sound"] is True
    assert problems(tmp_path / "m") == []


async def test_nobody_is_asked_where_that_is_not_wanted(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path)
        harm(tmp_path, "bob")
        site.asked.clear()
        code, told = await repaired(tmp_path, "--no-fetch")
        assert site.asked == []
        assert code == 1
        assert "Not brought back, since no site was asked (--no-fetch): 1 edition. " in told
        assert "does not serve" not in told
        # It is owed, so that the next run asks for it.
        await run(f"{site.base}/", tmp_path)
        assert "/news/bob" in site.asked
    assert ("bob", 1, "html") in readable(tmp_path)


async def test_an_index_alone_is_made_again(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path)
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as connection:
        connection.execute("DELETE FROM representations")
        connection.commit()
    before = [path.read_bytes() for path in segment_files(tmp_path)]
    code, told = await repaired(tmp_path)
    assert code == 0
    assert told.endswith("\n")
    assert "Integrity: sound." in told
    assert [path.read_bytes() for path in segment_files(tmp_path)] == before


def test_what_can_not_be_mended_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    done = Repaired(
        segments=2, lost=("lost/a/x.1",), editions=(), owed=(), unknown=1200,
        left=("a/x has a hole",),
    )  # fmt: skip
    tell_mended(done, as_json=False)
    assert capsys.readouterr().out.splitlines() == [
        "Repaired: the index was made again, 2 segments written anew.",
        "  damaged bytes are kept in lost/a/x.1",
        "  a/x has a hole",
        "  of 1,200 bytes nothing tells whose they were",
    ]
