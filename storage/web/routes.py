"""The routes: an address, the function that answers, and in which form errors are told.

``{url}`` at the end of an address takes everything that follows, a query too: a URL of another
server as it was typed. ``heavy`` answers may take a second, and few are made at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from msgspec import Struct

from storage.web.answer import Answer
from storage.web.pages import article, compare, feeds, home, mementos, shown, site, snapshot, style
from storage.web.reading import Reading
from storage.web.request import Request

Answering: TypeAlias = Callable[[Reading, Request], Answer]


class Route(Struct, frozen=True):
    """One address, as aiohttp's router writes it."""

    path: str
    answer: Answering
    errors: Literal["page", "json", "text"] = "page"
    heavy: bool = False


_ARTICLE = "/sites/{site}/{slug}"
_FORMAT = f"{_ARTICLE}/{{when}}/{{format}}"

ROUTES: tuple[Route, ...] = (
    Route("/", home.page),
    Route("/search", site.search),
    Route("/compare", compare.page, heavy=True),
    Route("/sites/{site}", site.page),
    Route(_ARTICLE, article.page),
    Route(f"{_ARTICLE}/{{when}}", snapshot.page),
    Route(_FORMAT, shown.page),
    Route(f"{_FORMAT}/frame", shown.frame, heavy=True),
    Route(f"{_FORMAT}/raw", shown.raw, "text"),
    Route("/timegate/{url}", mementos.timegate, "text"),
    Route("/timemap/link/{url}", mementos.link_timemap, "text"),
    Route("/timemap/json/{url}", mementos.json_timemap, "json"),
    Route("/memento/{moment}/{url}", mementos.memento, "text"),
    Route("/feed.atom", feeds.atom, "text", heavy=True),
    Route("/style.css", style.css, "text"),
)
