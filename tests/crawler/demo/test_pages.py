"""The newsroom's lists: sitemaps, feed, llms.txt, robots.txt."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from crawler.demo.newsroom import Newsroom

BASE = "http://127.0.0.1:8080"


SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def newsroom() -> Newsroom:
    return Newsroom.create(BASE, 24, sources="https://wire.example")


def locations(newsroom: Newsroom, path: str) -> list[str]:
    root = ET.fromstring(newsroom.page(path).body)
    return [node.text or "" for node in root.iter(f"{SITEMAP}loc")]


def test_sitemaps_name_every_story_once_in_parts() -> None:
    newsroom = Newsroom.create(BASE, 1001)
    parts = locations(newsroom, "/sitemap.xml")
    assert len(parts) == 3
    listed = [url for part in parts for url in locations(newsroom, part.removeprefix(BASE))]
    assert listed == [record.url for record in newsroom.records]


def test_feed_llms_robots_and_pages_are_there(newsroom: Newsroom) -> None:
    feed = ET.fromstring(newsroom.page("/feed.atom").body)
    assert len(feed.findall(f"{ATOM}entry")) == 20
    newest = newsroom.records[-1]
    assert newest.alternates["markdown"] in newsroom.page("/llms.txt").body.decode()
    assert f"Sitemap: {BASE}/sitemap.xml" in newsroom.page("/robots.txt").body.decode()
    assert newest.url in newsroom.page("/news/").body.decode()
    assert newsroom.records[0].url in newsroom.page("/news/page/3/").body.decode()
    assert newest.url in newsroom.page(f"/section/{newest.topics[0]}/").body.decode()
    assert newsroom.page("/about/").status == 200
    assert newsroom.page("/nowhere").status == 404
    assert all(newsroom.page(path).status == 200 for path in newsroom.paths())
