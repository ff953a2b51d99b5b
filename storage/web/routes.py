"""The routes of the server: a page is a module in ``pages/`` and a line here."""

from __future__ import annotations

from storage.web.answer import JSON
from storage.web.description import described
from storage.web.pages import (
    article,
    cdx,
    compare,
    feeds,
    home,
    latest,
    mementos,
    resourcesync,
    shown,
    site,
    snapshot,
    style,
)
from storage.web.resourcesync import WELL_KNOWN, XML
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
_REPLAY = (
    Route(
        path="/cdx", answer=cdx.lines, gives=(cdx.CDXJ, cdx.NDJSON, JSON), query=cdx.QUERY,
        needs=("url",), errors="text", heavy=True,
        about="The captures of URLs, as pywb's CDX server gives them",
    ),
    Route(
        path="/warc/{site}/{segment}", answer=cdx.record, gives=(cdx.WARC,), errors="text",
        needs=("Range",), statuses=(206, 416),
        about="The WARC record that a line of /cdx names, by Range",
    ),
)  # fmt: skip
_SYNC = "/resourcesync/{site}"
_MIRRORS = (
    Route(
        path=WELL_KNOWN, answer=resourcesync.source, gives=(XML,), errors="text",
        about="ResourceSync (ANSI/NISO Z39.99) Source Description: a set of resources a site",
    ),
    Route(
        path=f"{_SYNC}/capabilitylist.xml", answer=resourcesync.capabilities, gives=(XML,),
        errors="text", about="A site's Capability List",
    ),
    Route(
        path=f"{_SYNC}/resourcelist.xml", answer=resourcesync.resource_list, gives=(XML,),
        errors="text", heavy=True, about="The index of its Resource List",
    ),
    Route(
        path=f"{_SYNC}/resources.xml", answer=resourcesync.resource_page, gives=(XML,),
        query=("past",), errors="text", heavy=True, about="A page of its Resource List",
    ),
    Route(
        path=f"{_SYNC}/changelist.xml", answer=resourcesync.change_list, gives=(XML,),
        errors="text", heavy=True, about="Its Change List: the newest changes",
    ),
    Route(path="/latest/{site}/", answer=latest.start, about="Where a site's lists are"),
    Route(
        path="/latest/{site}/{format}/{url}", answer=latest.newest, gives=(), errors="text",
        statuses=(301,),
        about="The newest bytes of a format of an article, as they were received",
    ),
)  # fmt: skip
_ALL = (*_PAGES, *_MEMENTO, *_REPLAY, *_MIRRORS)

ROUTES: tuple[Route, ...] = (
    *_ALL,
    Route(
        path="/openapi.json", answer=described(_ALL), gives=(JSON,), errors="json",
        about="This description, in OpenAPI 3.1",
    ),
)  # fmt: skip
