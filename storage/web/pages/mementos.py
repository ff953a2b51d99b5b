"""Memento (RFC 7089) over every URL that the archive has bytes of, each format's among them.

A memento's datetime is the moment of its fetch, to the second. A TimeGate gives the URL as it stood
at the moment asked for: the last memento until then, or the first of all (section 4.5.3 leaves the
choice to us). Versions are linked by RFC 5829's names too. What a site sent goes out as it came,
under a policy that lets a browser run nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from email.utils import format_datetime

from msgspec import structs

from storage.archive import Body
from storage.errors import NoSuchArticle
from storage.index import queries, versions
from storage.index.mementos import Around, Memento, Mementos
from storage.select import urls_meant
from storage.times import format_utc, parse_http_date, parse_rfc3339
from storage.web import paths
from storage.web.answer import Answer, json_answer, redirect
from storage.web.reading import ThreadArchive
from storage.web.request import Request, not_there, wrong

#: Mementos of one page of a TimeMap: a few hundred KB.
MOST_OF_TIMEMAP = 2_000
LINK_FORMAT = "application/link-format"
#: ``id_`` is how pywb and others ask for the bytes as they came; here there are no others.
_MOMENT = re.compile(r"(\d{14})(?:id_)?", re.ASCII)
_PAGE = re.compile(r"([1-9]\d{0,8})/", re.ASCII)
#: What a site's answer may not say of ours: a media type is one word of ASCII, with parameters.
_MEDIA_TYPE = re.compile(r"[\x20-\x7e]{1,200}", re.ASCII)
_ACCEPT_MOMENT = (("Vary", "accept-datetime"),)


def timegate(reading: ThreadArchive, request: Request) -> Answer:
    """Redirect to the memento of the moment asked for by Accept-Datetime, else to the last one."""
    held = _held(reading, request)
    last = held.last()
    if last is None:
        raise not_there(f"The archive has no memento of {held.url}.")
    chosen = last
    if request.accept_datetime:
        stamp = parse_http_date(request.accept_datetime)
        if stamp is None:
            raise wrong("Accept-Datetime is no date of HTTP's, as Fri, 19 Jun 2026 09:13:50 GMT.")
        chosen = held.until(stamp.at) or held.first() or last
    around = held.around(chosen)
    link = ", ".join(_links(request.base, held.url, around, own="timegate"))
    to = request.base + paths.memento_path(held.url, chosen.fetched_at)
    return redirect(to, (*_ACCEPT_MOMENT, ("Link", link)))


def memento(reading: ThreadArchive, request: Request) -> Answer:
    """Return the bytes of one moment as they were received, or go to the memento nearest to it."""
    moment = _moment(request.part("moment"))
    held = _held(reading, request)
    this = held.at(moment)
    if this is None:
        near = _nearest(held, moment)
        return redirect(request.base + paths.memento_path(held.url, near.fetched_at))
    body = _body(reading, this)
    link = ", ".join(_links(request.base, held.url, held.around(this), own="memento"))
    answer = sent(body, request.accept_encoding)
    headers = (("Memento-Datetime", _http(this.fetched_at)), ("Link", link), *answer.headers)
    return structs.replace(answer, headers=headers)


def sent(body: Body, accepted: str) -> Answer:
    """Return bytes as a site sent them; without their content coding to who does not take it."""
    codings = accepted.lower()
    coding = body.representation.content_encoding
    as_stored = not coding or all(
        re.search(rf"(?:^|[\s,]){re.escape(one.strip())}(?:[\s,]|$)", codings)
        for one in coding.lower().split(",")
    )
    headers = [("Vary", "accept-encoding")] if coding else []
    if coding and as_stored:
        headers.append(("Content-Encoding", coding))
    return Answer(
        body=body.stored if as_stored else body.decoded,
        content_type=_content_type(body),
        headers=tuple(headers),
        policy="frame",
    )


def link_timemap(reading: ThreadArchive, request: Request) -> Answer:
    """Return a URL's TimeMap as links (RFC 7089 section 5, RFC 6690)."""
    held, page, rows, more = _listed(reading, request)
    lines = [
        f'<{paths.uri(held.url)}>;rel="original"',
        f'<{request.base}{paths.timegate_path(held.url)}>;rel="timegate"',
        *_timemap_links(request.base, held.url, page, rows, more=more),
        *_memento_links(held, request.base, rows),
    ]
    body = ",\n".join(lines) + "\n"
    return Answer(body=body.encode(), content_type=LINK_FORMAT)


def json_timemap(reading: ThreadArchive, request: Request) -> Answer:
    """Return a URL's TimeMap in the JSON that memento aggregators speak."""
    held, page, rows, more = _listed(reading, request)
    base, url = request.base, held.url
    listed = [_as_json(base, one) for one in rows]
    first, last = held.first() or rows[0], held.last() or rows[-1]
    value: dict[str, object] = {
        "original_uri": url,
        "self": base + paths.timemap_path(url, "json", page),
        "timegate_uri": base + paths.timegate_path(url),
        "timemap_uri": {
            "link_format": base + paths.timemap_path(url, "link"),
            "json_format": base + paths.timemap_path(url, "json"),
        },
        "mementos": {
            "list": listed,
            "first": _as_json(base, first),
            "last": _as_json(base, last),
        },
    }
    if more:
        value["next"] = base + paths.timemap_path(url, "json", page + 1)
    return json_answer(value)


def _held(reading: ThreadArchive, request: Request, url: str = "") -> Mementos:
    """Return the mementos of the URL that the path ends with; of an alias, those of its article.

    As a person might write it counts too: another scheme, or without the slash at the end.
    """
    asked = url or request.original()
    index = reading.archive.index
    for one in urls_meant(asked):
        held = Mementos(index, one, private=reading.private)
        if len(held):
            return held
    for name in sorted(queries.at_urls(index, urls_meant(asked), None)):
        newest = versions.latest(index, *name, 1, None, private=reading.private)
        manifest = reading.archive.manifest(newest[0], text=False) if newest else None
        shown = [one for one in manifest.representations if one.record_id] if manifest else []
        for one_held in sorted(shown, key=lambda each: each.format != "html"):
            return Mementos(index, one_held.url, private=reading.private)
    raise not_there(f"The archive has no memento of {asked}.")


def _listed(reading: ThreadArchive, request: Request) -> tuple[Mementos, int, list[Memento], bool]:
    """Return a page of a TimeMap, and whether there is another one after it."""
    found = _PAGE.match(request.url)
    page = int(found[1]) if found else 1
    url = Request(
        parts={}, query={}, base="", now=request.now, url=request.url[found.end() if found else 0 :]
    ).original()
    held = _held(reading, request, url)
    rows = held.page(MOST_OF_TIMEMAP, (page - 1) * MOST_OF_TIMEMAP)
    if not rows:
        raise not_there(f"The TimeMap of {url} has no page {page}.")
    return held, page, rows, len(held) > page * MOST_OF_TIMEMAP


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if not found:
        raise wrong("A memento's moment is 14 digits: YYYYMMDDhhmmss.")
    text = found[1]
    day, time = f"{text[:4]}-{text[4:6]}-{text[6:8]}", f"{text[8:10]}:{text[10:12]}:{text[12:]}"
    stamp = parse_rfc3339(f"{day}T{time}Z")
    if stamp is None:
        raise wrong(f"There is no moment {text}.")
    return stamp.at


def _nearest(held: Mementos, moment: datetime) -> Memento:
    before, after = held.until(moment), held.after(moment)
    if before is None or after is None:
        found = before or after
        if found is None:
            raise not_there(f"The archive has no memento of {held.url}.")
        return found
    return before if moment - before.fetched_at <= after.fetched_at - moment else after


def _body(reading: ThreadArchive, this: Memento) -> Body:
    index = reading.archive.index
    rows = versions.latest(
        index, this.site, this.slug, 1, this.sequence + 1, private=reading.private
    )
    if not rows or rows[0].sequence != this.sequence:
        raise not_there(f"The archive has no memento of {this.url} any more.")
    try:
        return reading.archive.body(reading.archive.manifest(rows[0], text=False), this.format)
    except NoSuchArticle as error:
        raise not_there(f"{error}.") from error


def _content_type(body: Body) -> str:
    named = (value for field, value in body.headers if field.lower() == "content-type")
    found = next(named, body.representation.media_type).strip()
    return found if _MEDIA_TYPE.fullmatch(found) else "application/octet-stream"


def _http(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _links(base: str, url: str, around: Around, *, own: str) -> Iterator[str]:
    """Give the links of a TimeGate or a memento (RFC 7089 section 2.2, RFC 5829)."""
    yield f'<{paths.uri(url)}>; rel="original"'
    if own != "timegate":
        yield f'<{base}{paths.timegate_path(url)}>; rel="timegate"'
    timemap = f"{base}{paths.timemap_path(url)}"
    yield f'<{timemap}>; rel="timemap version-history"; type="{LINK_FORMAT}"'
    rels: dict[datetime, list[str]] = {}
    for one, names in (
        (around.first, "first"),
        (around.last, "last latest-version"),
        (around.before, "prev predecessor-version"),
        (around.after, "next successor-version"),
        (around.this, ""),
    ):
        if one is not None:
            rels.setdefault(one.fetched_at, []).extend(names.split())
    for moment in sorted(rels):
        names = " ".join([*rels[moment], "memento"])
        at = base + paths.memento_path(url, moment)
        yield f'<{at}>; rel="{names}"; datetime="{_http(moment)}"'


def _timemap_links(
    base: str, url: str, page: int, rows: Sequence[Memento], *, more: bool
) -> Iterator[str]:
    span = f'from="{_http(rows[0].fetched_at)}";until="{_http(rows[-1].fetched_at)}"'
    here = base + paths.timemap_path(url, "link", page)
    yield f'<{here}>;rel="self";type="{LINK_FORMAT}";{span}'
    for number in ([page - 1] if page > 1 else []) + ([page + 1] if more else []):
        other = base + paths.timemap_path(url, "link", number)
        yield f'<{other}>;rel="timemap";type="{LINK_FORMAT}"'
    yield f'<{base}{paths.timemap_path(url, "json")}>;rel="timemap";type="application/json"'


def _memento_links(held: Mementos, base: str, rows: Sequence[Memento]) -> Iterator[str]:
    first, last = held.first(), held.last()
    for one in rows:
        names = [
            *(["first"] if first and one.fetched_at == first.fetched_at else []),
            *(["last"] if last and one.fetched_at == last.fetched_at else []),
            "memento",
        ]
        at = base + paths.memento_path(one.url, one.fetched_at)
        yield (
            f'<{at}>;rel="{" ".join(names)}";datetime="{_http(one.fetched_at)}"'
            f';updated_at="{format_utc(one.updated_at)}";revision="{one.revision}"'
        )


def _as_json(base: str, one: Memento) -> dict[str, object]:
    return {
        "datetime": format_utc(one.fetched_at),
        "uri": base + paths.memento_path(one.url, one.fetched_at),
        "updated_at": format_utc(one.updated_at),
        "revision": one.revision,
        "reason": one.reason,
    }
