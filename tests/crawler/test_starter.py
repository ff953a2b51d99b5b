"""The config.toml that init writes: valid as it stands, and with every line of it switched on."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from msgspec import structs

from crawler.comparison import Saying
from crawler.config.settings import Config, parse_config
from crawler.looks import ArticleLook, FormatLook, Look, RobotsLook, SourceLook
from crawler.starter import starter
from storage.model import Key

URL = "https://news.example/"
ARTICLE = ArticleLook(
    url=f"{URL}a", slug="a", title="A",
    key=Key(updated_at=datetime(2026, 6, 19, tzinfo=UTC), unit="second", source="html"),
    said={}, canonical={}, canonical_source="https://wire.example/a", aliases=(),
    formats=(
        FormatLook(format="html", url=f"{URL}a", etag='"1"'),
        FormatLook(format="markdown", url=f"{URL}a.md", why="the server answered 404\nx = 1"),
    ),
    alternates=(), findings=(), usage={},
    sayings=(Saying(field="title", values={"html": "a", "text": "b"}, agree=False),),
)  # fmt: skip
LOOK = Look(
    url=URL, final_url=URL, what="site", why="", robots=RobotsLook(allowed=True, reason=""),
    sources=(SourceLook(kind="sitemap", url=f"{URL}sitemap.xml", entries=3, dated=3),),
    article=ARTICLE,
)  # fmt: skip


def read(text: str) -> Config:
    return parse_config(text, {})


def switched_on(text: str) -> str:
    """Take the mark off every line that is a setting behind it."""
    return re.sub(r"^# (?=[a-z_]+ = )", "", text, flags=re.MULTILINE)


def looks() -> list[Look]:
    robots = structs.replace(LOOK.robots, crawl_delay=7.0)
    return [
        LOOK,
        structs.replace(LOOK, robots=robots),
        structs.replace(LOOK, sources=(), article=None),
        structs.replace(LOOK, what="article", final_url=f"{URL}a%22b"),
    ]


@pytest.mark.parametrize("look", looks())
def test_it_is_a_valid_config_as_it_stands_and_switched_on(look: Look) -> None:
    text = starter(look)
    (site,) = read(text).site
    assert site.url == look.final_url
    (whole,) = read(switched_on(text)).site
    assert whole.label == site.label
    assert whole.verify_within == site.verify_within
    assert all(line.startswith(("#", "[[site]]", "url = ", "rate = ")) or not line
               for line in text.splitlines())  # fmt: skip


def test_a_crawl_delay_becomes_the_rate() -> None:
    slow = structs.replace(LOOK, robots=structs.replace(LOOK.robots, crawl_delay=7.0))
    (site,) = read(starter(slow)).site
    assert site.rate == pytest.approx(1 / 7, abs=0.001)
    brisk = structs.replace(LOOK, robots=structs.replace(LOOK.robots, crawl_delay=0.1))
    assert read(starter(brisk)).site[0].rate == Config().defaults.rate


def test_what_was_seen_stands_in_its_comments() -> None:
    text = starter(LOOK)
    assert (
        "# Found: the sitemap https://news.example/sitemap.xml (3 entries, 3 with a date)." in text
    )
    assert '# formats = ["html"]' in text
    assert "# Its formats disagree on title" in text
    assert "originals on other hosts: https://wire.example/a" in text
