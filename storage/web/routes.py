"""The routes of the server: a page is a module in ``pages/`` and a line here."""

from __future__ import annotations

from storage.web.answer import JSON
from storage.web.description import described
from storage.web.pages import article, compare, feeds, home, mementos, shown, site, snapshot, style
from storage.web.route import Route

_ARTICLE = "/sites/{site}/{slug}"
_FORMAT = f"{_ARTICLE}/{{when}}/{{format}}"
_LINKS = (mementos.LINK_FORMAT,)
_SITE_QUERY = ("q", "language", "topic", "entity", "finding", "state", "from", "to", "after")

_PAGES = (
    Route(path="/", answer=home.page, about="What changed lately, and every site"),
    Route(path="/search", answer=site.search, about="Articles of all sites by words", query=("q",)),
    Route(
        path="/sites/{site}", answer=site.page, query=_SITE_QUERY,
        about="A site's articles, and its numbers by day",
    ),
    Route(
        path=_ARTICLE, answer=article.page, query=("before",),
        about="An article: its history, record and provenance",
    ),
    Route(path=f"{_ARTICLE}/{{when}}", answer=snapshot.page, about="One snapshot of an article"),
    Route(path=_FORMAT, answer=shown.page, query=("raw",), about="One format of a snapshot"),
    Route(path=f"{_FORMAT}/frame", answer=shown.frame, heavy=True, about="It rendered, sandboxed"),
    Route(path=f"{_FORMAT}/raw", answer=shown.raw, gives=(), errors="text", about="Its bytes"),
    Route(
        path="/compare", answer=compare.page, heavy=True, about="Two snapshots, word by word",
        query=("site", "slug", "from", "to", "format", "whole"),
    ),
    Route(
        path="/feed.atom", answer=feeds.atom, query=("site", "slug"), gives=(feeds.ATOM,),
        errors="text", heavy=True, about="What changed, as Atom: of all, a site or an article",
    ),
    Route(path="/style.css", answer=style.css, gives=(style.CSS,), errors="text", about="Style"),
)  # fmt: skip
_MEMENTO = (
    Route(
        path="/timegate/{url}", answer=mementos.timegate, gives=(), redirects=True, errors="text",
        about="RFC 7089 TimeGate: to the memento of Accept-Datetime, else to the last one",
    ),
    Route(
        path="/timemap/link/{url}", answer=mementos.link_timemap, gives=_LINKS, errors="text",
        about="RFC 7089 TimeMap as links",
    ),
    Route(
        path="/timemap/json/{url}", answer=mementos.json_timemap, gives=(JSON,), errors="json",
        about="The TimeMap as JSON",
    ),
    Route(
        path="/memento/{moment}/{url}", answer=mementos.memento, gives=(), redirects=True,
        errors="text", about="RFC 7089 memento: the bytes as they were received",
    ),
)  # fmt: skip
_ALL = (*_PAGES, *_MEMENTO)

ROUTES: tuple[Route, ...] = (
    *_ALL,
    Route(
        path="/openapi.json", answer=described(_ALL), gives=(JSON,), errors="json",
        about="This description, in OpenAPI 3.1",
    ),
)  # fmt: skip
