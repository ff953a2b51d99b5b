"""Runs over a site one of whose articles was forgotten: it is not asked for, and stays away."""

from __future__ import annotations

import base64
import sqlite3
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from storage.archive import Archive
from storage.layout import FULLTEXT
from storage.search.fulltext import Question
from storage.search.opening import search
from storage.upkeep.forget import forget
from tests.crawler.runs import history, run
from tests.crawler.small_site import Page, SmallSite
from tests.storage.upkeep.test_forget import places_of
from tests.storage.verify.harming import problems

NOW = datetime(2027, 1, 1, tzinfo=UTC)
WORDS = "Ada was seen in a red coat by the canal on Tuesday evening"


def story(name: str, words: str, base: str = "", twin: str = "") -> Page:
    link = f'<link rel="alternate" type="text/markdown" href="/news/{twin}.md">' if twin else ""
    body = "".join(
        f"<p>{words}, {n} times over, and all of the town spoke of it.</p>" for n in range(9)
    )
    return Page(
        body=f'<html><head><title>{name} in town</title>{link}<meta property="og:type" '
        f'content="article"></head><body><article><h1>{name} in town</h1>{body}</article></body>',
        headers={"ETag": f'"{name}"'},
    )


def pages(base: str) -> dict[str, Page]:
    urls = "".join(f"<url><loc>{base}/news/{name}</loc></url>" for name in ("ada", "bob"))
    entries = "".join(
        f"<entry><title>{name} in town</title><link href='{base}/news/{name}'/><id>{name}</id>"
        f"<updated>2026-01-01T00:00:00Z</updated><summary>{words}</summary></entry>"
        for name, words in (("ada", WORDS), ("bob", "Nothing happened to Bob"))
    )
    kind = "http://www.w3.org/2005/Atom"
    return {
        "/": Page(
            body="<html><head><link rel='alternate' type='application/atom+xml' href='/feed'>"
            "</head><body><a href='/news/ada'>one</a> <a href='/news/bob'>two</a></body></html>"
        ),
        "/sitemap.xml": Page(
            body="<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
            + urls
            + "</urlset>",
            type="application/xml",
            headers={"ETag": '"map"'},
        ),
        "/feed": Page(
            body=f"<feed xmlns='{kind}'><title>f</title>{entries}</feed>",
            type="application/atom+xml",
            headers={"ETag": '"feed"'},
        ),
        "/news/ada": story("ada", WORDS, twin="ada"),
        "/news/ada.md": Page(body=f"# ada in town\n\n{WORDS}\n" * 3, type="text/markdown"),
        "/news/bob": story("bob", "Nothing happened to Bob"),
    }


def remembered(root: Path) -> list[bytes]:
    """Return the documents that runs remember, unpacked."""
    with closing(sqlite3.connect(root / "index.sqlite")) as connection:
        question = "SELECT value FROM memory WHERE key LIKE 'body %' AND value != ''"
        rows = connection.execute(question).fetchall()
    return [zlib.decompress(base64.b64decode(value.strip('"'))) for (value,) in rows]


async def test_the_next_runs_neither_ask_for_it_nor_bring_it_back(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path)
        assert {row.slug for row in history(tmp_path)} == {"ada", "bob"}
        assert places_of(tmp_path, WORDS.encode())
        assert [body for body in remembered(tmp_path) if WORDS.encode() in body]
        forget(tmp_path, "ada", reason="Ada asked", now=NOW)
        assert places_of(tmp_path, WORDS.encode(), b"ada in town") == []
        for _ in range(2):
            site.asked.clear()
            ran = await run(f"{site.base}/", tmp_path)
            assert ran.failures == {}
            assert not [path for path in site.asked if path.startswith("/news/ada")]
            assert {row.slug for row in history(tmp_path)} == {"bob"}
            assert places_of(tmp_path, WORDS.encode(), b"ada in town") == []
            assert not [body for body in remembered(tmp_path) if WORDS.encode() in body]
            assert remembered(tmp_path)
    assert problems(tmp_path) == []


def searched(root: Path, words: str) -> list[str]:
    """Search, which fills the full-text index first; return the slugs that are found."""
    with Archive.open(root) as archive:
        return [hit.slug for hit in search(archive, Question(words=words))]


async def test_its_words_leave_the_full_text_index_and_stay_out(tmp_path: Path) -> None:
    odd = b"zxjkvwp"  # of a word that begins as no other does, so that the index has it in whole
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        site.pages["/news/ada"] = story("ada", f"{WORDS} q{odd.decode()}", twin="ada")
        site.pages["/news/ada.md"] = Page(
            body=f"# ada in town\n\n{WORDS} q{odd.decode()}\n" * 3, type="text/markdown"
        )
        await run(f"{site.base}/", tmp_path)
        assert searched(tmp_path, f"q{odd.decode()}") == ["ada"]
        assert str(tmp_path / FULLTEXT) in places_of(tmp_path, odd)
        forget(tmp_path, "ada", reason="Ada asked", now=NOW)
        for _ in range(2):
            assert places_of(tmp_path, odd, WORDS.encode(), b"ada in town") == []
            assert searched(tmp_path, f"q{odd.decode()}") == []
            assert searched(tmp_path, "nothing happened") == ["bob"]
            assert places_of(tmp_path, odd, WORDS.encode(), b"ada in town") == []
            await run(f"{site.base}/", tmp_path)
    assert problems(tmp_path, deep=True) == []


async def test_it_is_not_mirrored_by_its_own_url_either(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path)
        forget(tmp_path, "ada", reason="Ada asked", now=NOW)
        site.asked.clear()
        ran = await run(f"{site.base}/news/ada", tmp_path)
        assert "forgotten" in ran.failures[f"{site.base}/news/ada"]
        assert "/news/ada" not in site.asked


async def test_another_url_that_leads_to_it_keeps_nothing(tmp_path: Path) -> None:
    async with SmallSite() as site:
        site.pages = dict(pages(site.base))
        await run(f"{site.base}/", tmp_path)
        forget(tmp_path, "ada", reason="Ada asked", now=NOW)
        there = {"Location": f"{site.base}/news/ada"}
        site.pages["/also"] = Page(status=301, headers=there)
        site.pages["/"] = Page(body="<a href='/also'>one</a> <a href='/news/bob'>two</a>")
        await run(f"{site.base}/", tmp_path)
    with Archive.open(tmp_path) as archive:
        assert [row.slug for row in archive.newest_all()] == ["bob"]
    assert places_of(tmp_path, WORDS.encode()) == []
