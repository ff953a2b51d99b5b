"""The newest bytes of a format under an address that stays: what a mirror of this mirror fetches.

They go out as they came, with the fields that a mirror has to know of: what its publisher reserved,
and when it was last modified there.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

from msgspec import structs

from storage.archive import Body
from storage.errors import NoSuchArticle
from storage.index.resources import Resources
from storage.index.rows import SnapshotRow
from storage.web import templating
from storage.web.answer import Answer
from storage.web.lists import known_site
from storage.web.pages.mementos import sent
from storage.web.reading import ThreadArchive
from storage.web.request import Refusal, Request, not_there
from storage.web.resourcesync import latest_path, list_path

#: Fields of the site's own answer that are handed on: usage signals, and what dates the bytes.
_HANDED_ON = frozenset(
    {"last-modified", "content-language", "x-robots-tag", "content-usage", "tdm-reservation",
     "tdm-policy"}
)  # fmt: skip
_FIELD = re.compile(r"[\x20-\x7e]{1,2000}", re.ASCII)


def start(reading: ThreadArchive, request: Request) -> Answer:
    """Show where a site's lists are: the page that another slugline is given as a site's URL."""
    site = known_site(reading, request)
    capabilities = list_path(site, "capabilitylist")
    return templating.page("latest.html", site=site, capabilities=capabilities)


def newest(reading: ThreadArchive, request: Request) -> Answer:
    """Return the newest bytes of a format of an article."""
    site = known_site(reading, request)
    found = Resources(reading.archive.index, site, reading.private)
    name, url = request.part("format"), request.original()
    row = found.newest(url, name) or found.newest(unquote(url), name)
    newest = found.standing(row) if row is not None else None
    if row is None or newest is None:
        raise not_there(f"The archive has no {name} of {url} on {site}.")
    if newest.gone_at is not None:
        raise Refusal(410, f"{url} is gone; its mementos are not.")
    manifest = reading.archive.manifest(row, text=False)
    if newest.sequence != row.sequence and (to := _elsewhere(reading, newest, name, url)):
        return Answer(
            status=301, content_type="text/plain", headers=(("Location", request.base + to),)
        )
    try:
        body = reading.archive.body(manifest, name)
    except NoSuchArticle as error:
        raise not_there(f"{error}.") from error
    answer = sent(body, request.accept_encoding)
    tag = f'"{body.representation.digest[:32]}{"" if _plain(answer) else "-coded"}"'
    headers = (*answer.headers, *_handed_on(body), ("ETag", tag))
    known = {one.strip().removeprefix("W/") for one in request.if_none_match.split(",")}
    if tag in known:
        return structs.replace(answer, status=304, body=b"", headers=headers)
    return structs.replace(answer, headers=headers)


def _elsewhere(reading: ThreadArchive, newest: SnapshotRow, name: str, url: str) -> str:
    """Return where the format's newest bytes are by now, "" where they are not elsewhere.

    Raises Refusal where the article has no such format any more.
    """
    manifest = reading.archive.manifest(newest, text=False)
    one = manifest.representation(name)
    if one is not None and one.record_id:
        return latest_path(newest.site, name, one.url) if one.url not in (url, unquote(url)) else ""
    if name in manifest.missing:
        return ""
    raise not_there(f"The article has no {name} any more; its mementos are there.")


def _plain(answer: Answer) -> bool:
    return all(name != "Content-Encoding" for name, _ in answer.headers)


def _handed_on(body: Body) -> tuple[tuple[str, str], ...]:
    return tuple(
        (name, value)
        for name, value in body.headers
        if name.lower() in _HANDED_ON and _FIELD.fullmatch(value)
    )
