"""A look as text: what is odd is said, and a site's words drive no terminal."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

from msgspec import structs

from crawler.commands.look_text import shown
from crawler.comparison import Alternate, Saying
from crawler.looks import ArticleLook, FormatLook, Look, RobotsLook
from storage.model import Finding, Key

EVIL = "\x1b]0;owned\x07\u202eevil\r\n"
URL = "https://news.example/a"
ARTICLE = ArticleLook(
    url=URL, slug=EVIL, title=EVIL,
    key=Key(updated_at=datetime(2026, 6, 19, tzinfo=UTC), unit="second", source="html"),
    said={"updated_at": "html"}, canonical={"html": URL}, canonical_source=EVIL, aliases=(EVIL,),
    formats=(
        FormatLook(format="html", url=URL, media_type=EVIL, length=2048, etag='"1"'),
        FormatLook(format="pdf", url=f"{URL}.pdf", particulars={"pages": 12, "maker": EVIL}),
        FormatLook(format="markdown", url=f"{URL}.md", why=EVIL),
    ),
    alternates=(
        Alternate(
            format="", url=URL, type="", what=f"another language: {EVIL}", declared_by=("html",)
        ),
    ),
    findings=(Finding(kind="formats-disagree", detail=EVIL),),
    sayings=(Saying(field="title", values={"html": EVIL, "text": "b"}, agree=False),),
    usage={"html: x-robots-tag": EVIL},
)  # fmt: skip
LOOK = Look(
    url=URL, final_url=URL, what="article", why="it is one article",
    robots=RobotsLook(allowed=True, reason="robots.txt", crawl_delay=2.0, sitemaps=(EVIL,)),
    article=ARTICLE, notes=(EVIL,), requests=3,
)  # fmt: skip


def test_a_sites_words_drive_no_terminal() -> None:
    odd = {c for c in shown(LOOK) if c != "\n" and unicodedata.category(c) in {"Cc", "Cf"}}
    assert odd == set()


def test_what_is_odd_is_said() -> None:
    text = shown(LOOK)
    for words in (
        "robots: allowed (robots.txt); Crawl-delay 2 s",
        "updated  2026-06-19T00:00:00Z, by html, to the second",
        "2.0 KiB; ETag\n",
        "; pages 12; maker ",
        "could not be had: ",
        "title  (they disagree)",
        "Where they disagree, and what is odd:",
        "formats-disagree: ",
        "3 requests; nothing was stored",
    ):
        assert words in text


def test_nothing_is_called_so() -> None:
    nothing = structs.replace(LOOK, what="nothing", why="no answer", article=None, notes=())
    assert shown(nothing).startswith(f"{URL}: nothing to mirror (no answer)\n")
