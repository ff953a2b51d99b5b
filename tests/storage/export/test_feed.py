"""The Atom feed of changes: valid, escaped, the same each time, and bounded."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import feedparser
from lxml import etree

from storage.archive import Archive
from storage.export import feed
from storage.export.choosing import Chosen
from storage.export.feed import export_feed
from storage.model import Finding, Record
from tests.storage.drafts import SITE, UPDATED, article, event, hour, stored

ATOM = "{http://www.w3.org/2005/Atom}"
URL = f"https://{SITE}/news/story"


def exported(root: Path, **chosen: Any) -> bytes:
    out = io.BytesIO()
    with Archive.open(root) as archive:
        count = export_feed(archive, out, Chosen(**chosen))
    assert count == out.getvalue().count(b"<entry>")
    return out.getvalue()


def titles(data: bytes) -> list[str]:
    return [entry.title for entry in feedparser.parse(data).entries]


def test_entries_say_what_happened_newest_first(tmp_path: Path) -> None:
    stored(tmp_path, article(), article(edition="!", reason="silent-edit", seen=hour(1)))
    stored(tmp_path, event("gone", seen=hour(2), detail={"status": "404"}))
    read = feedparser.parse(exported(tmp_path))
    assert not read.bozo
    assert [entry.title for entry in read.entries] == [
        "Gone: The story", "Edited in silence: The story", "New: The story",
    ]  # fmt: skip
    assert read.entries[1].link == URL
    assert read.entries[1].updated == "2026-06-20T13:00:00Z"
    assert read.entries[1].tags[0].term == "silent-edit"
    assert "2026-06-19T09:13:50.166750Z, revision 1. Formats: html, markdown" in (
        read.entries[1].summary
    )
    assert "status: 404" in read.entries[0].summary
    assert read.feed.updated == "2026-06-20T14:00:00Z"


def test_the_feed_has_all_that_rfc_4287_asks_for(tmp_path: Path) -> None:
    stored(tmp_path, article())
    root = etree.fromstring(exported(tmp_path))
    assert root.tag == f"{ATOM}feed"
    for element in (root, root.find(f"{ATOM}entry")):
        assert element is not None
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
    assert root.find(f"{ATOM}author/{ATOM}name") is not None


def test_a_sites_words_stay_text(tmp_path: Path) -> None:
    hostile = 'a <b>&amp; "quoted"</b>\x00\x1b[2J\ufffe ]]> \n line'
    record = Record(slug="story", url=URL, title=hostile, updated_at=UPDATED)
    finding = Finding(kind="slug-taken", detail="<script>")
    stored(tmp_path, article(record=record, findings=(finding,)))
    data = exported(tmp_path)
    root = etree.fromstring(data)
    title = root.findtext(f"{ATOM}entry/{ATOM}title") or ""
    assert 'a <b>&amp; "quoted"</b>' in title
    assert "\n" not in title
    assert "slug-taken: <script>." in (root.findtext(f"{ATOM}entry/{ATOM}summary") or "")


def test_the_same_archive_gives_the_same_bytes(tmp_path: Path) -> None:
    stored(tmp_path / "a", article(), event("gone", seen=hour(1)))
    stored(tmp_path / "b", article())
    assert exported(tmp_path / "a") == exported(tmp_path / "a")
    ids = {
        feedparser.parse(exported(tmp_path / "a")).feed.id,
        feedparser.parse(exported(tmp_path / "b")).feed.id,
        feedparser.parse(exported(tmp_path / "a", site=SITE)).feed.id,
    }
    assert len(ids) == 3


def test_private_snapshots_and_what_befell_them_stay_out(tmp_path: Path) -> None:
    stored(tmp_path, article(private=True), event("gone", seen=hour(1)))
    assert titles(exported(tmp_path)) == []
    assert len(titles(exported(tmp_path, private=True))) == 2


def test_moments_and_a_number_bound_it(tmp_path: Path) -> None:
    many = feed.MOST_ENTRIES + 1
    stored(tmp_path, *(article(f"s{n:03}", formats=(), seen=hour(n)) for n in range(many)))
    newest = titles(exported(tmp_path))
    assert len(newest) == feed.MOST_ENTRIES
    assert newest[0] == f"New: The s{many - 1:03}"
    assert len(titles(exported(tmp_path, since=hour(0)))) == many
    bounded = titles(exported(tmp_path, since=hour(3), at=hour(4)))
    assert bounded == ["New: The s004", "New: The s003"]


def test_an_archive_without_a_change_gives_an_empty_feed(tmp_path: Path) -> None:
    Archive.create(tmp_path / "m").close()
    read = feedparser.parse(exported(tmp_path / "m"))
    assert not read.bozo
    assert (read.feed.updated, read.entries) == ("1970-01-01T00:00:00Z", [])
