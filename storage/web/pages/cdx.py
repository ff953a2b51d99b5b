"""The CDX server, and the WARC records that its lines lead to: what pywb replays from.

A URL is found as a person might write it: another scheme, with ``www.`` or without, with or without
a slash at its end. The lines of one answer are sorted; a long one goes on at ``rel="next"``, page
by page in the order in which captures were stored, so that a page stays what it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from urllib.parse import urlencode

from msgspec import structs

from storage.errors import ArchiveError
from storage.index import versions
from storage.index.captures import MOST_LOOKED, WINDOW, Capture, Captures, During, RecordPlace
from storage.model import Manifest
from storage.surt import surt
from storage.warc_read import RecordError, read_member
from storage.web.answer import Answer, json_answer
from storage.web.cdx import CdxLine, CdxQuestion, as_text, host_key, read_question, timestamp
from storage.web.reading import ThreadArchive
from storage.web.request import Refusal, Request, not_there, wrong

#: As pywb names them.
CDXJ = "text/x-cdxj"
NDJSON = "application/x-ndjson"
JSON = "application/json"
WARC = "application/warc"
#: The parameters that are read; ``fields`` is an older name of ``fl``.
QUERY = (
    "url", "matchType", "from", "to", "closest", "sort", "limit", "filter", "fl", "fields",
    "output", "page", "showNumPages",
)  # fmt: skip
_NOT_MODIFIED = 304
#: One range is asked for at a time (RFC 9110 section 14.1.2).
_RANGE = re.compile(r"bytes=(\d{1,18})-(\d{0,18})", re.ASCII)


def lines(reading: ThreadArchive, request: Request) -> Answer:
    """Return the captures of a URL, of a prefix, of a host or a domain."""
    question = read_question(request)
    captures = Captures(reading.archive.index, private=reading.private)
    if question.count:
        pages = _pages(captures, question)
        return json_answer({"pages": pages, "pageSize": 1, "blocks": pages})
    found, following = _found(captures, question)
    made = _Lines(reading, captures).of(found)
    kept = [line for line in made if all(passes(line) for passes in question.filters)]
    if question.closest is None:
        backwards = question.order == "reverse"
        kept.sort(key=lambda line: (line["urlkey"], line["timestamp"]), reverse=backwards)
    body = "".join(as_text(line, question) for line in kept[: question.limit])
    headers: tuple[tuple[str, str], ...] = ()
    if following is not None and len(kept) <= question.limit:
        others = [one for one in request.every if one[0] != "page"]
        query = urlencode([*others, ("page", str(following))])
        headers = (("Link", f'<{request.base}/cdx?{query}>; rel="next"'),)
    kind = NDJSON if question.output == "json" else CDXJ
    return Answer(body=body.encode("utf-8", "replace"), content_type=kind, headers=headers)


def _pages(captures: Captures, question: CdxQuestion) -> int:
    if question.match != "exact":
        return captures.windows()
    return -(-captures.count(_urls(question), _during(question)) // WINDOW)


def _found(captures: Captures, question: CdxQuestion) -> tuple[list[Capture], int | None]:
    """Return captures, and the page on which there may be more, or None."""
    during, page = _during(question), question.page or 0
    if question.match == "exact":
        urls = _urls(question)
        if question.closest is not None:
            return captures.near(urls, question.closest, during, question.limit), None
        found = captures.at(urls, during, WINDOW + 1, page * WINDOW)
        return found[:WINDOW], page + 1 if len(found) > WINDOW else None
    windows = captures.windows()
    end = page + (MOST_LOOKED // WINDOW if question.page is None else 1)
    found = captures.below(_likes(question), during, page * WINDOW, end * WINDOW)
    if len(found) > WINDOW:
        # The window in which there was no room for all is the next page.
        end = (found[-1].n - 1) // WINDOW
        found = [one for one in found if one.n <= end * WINDOW]
    found = [one for one in found if _meant(question, one.url)]
    if question.closest is not None:
        moment = question.closest
        found.sort(key=lambda one: abs(one.fetched_at - moment))
    return found, end if end < windows else None


def _during(question: CdxQuestion) -> During:
    return During(since=question.since, until=question.until)


def _hosts(question: CdxQuestion) -> list[str]:
    bare = question.host.removeprefix("www.")
    return [bare, f"www.{bare}"]


def _urls(question: CdxQuestion) -> list[str]:
    """Return the URLs that are meant: each scheme, with ``www.``, with a slash at the end."""
    path = question.path
    ends = [path] if "?" in path else [path.rstrip("/"), f"{path.rstrip('/')}/"]
    return [
        f"{scheme}://{host}{end}"
        for scheme in ("https", "http") for host in _hosts(question) for end in ends
    ]  # fmt: skip


def _likes(question: CdxQuestion) -> list[str]:
    path = question.path.replace("*", "%2A") if question.match == "prefix" else "/"
    hosts = _hosts(question)
    if question.match == "domain":
        hosts.append(f"*.{hosts[0]}")
    return [f"{scheme}://{host}{path}*" for scheme in ("https", "http") for host in hosts]


def _meant(question: CdxQuestion, url: str) -> bool:
    """Tell whether a URL's host is the one that is meant, or of its domain."""
    wanted = host_key(question.host)
    key = surt(url).partition(")")[0]
    return key == wanted or (question.match == "domain" and key.startswith(f"{wanted},"))


class _Lines:
    """Makes lines. State: the manifest read last, for a snapshot's captures come together."""

    def __init__(self, reading: ThreadArchive, captures: Captures) -> None:
        self._reading = reading
        self._captures = captures
        self._manifests: dict[tuple[str, str, int], Manifest | None] = {}

    def of(self, captures: Iterable[Capture]) -> Iterator[CdxLine]:
        """Give a line for each capture whose snapshot can be read."""
        for one in captures:
            key = (one.site, one.slug, one.sequence)
            if key not in self._manifests:
                self._manifests[key] = self._manifest(one)
            manifest = self._manifests[key]
            shown = manifest.representation(one.format) if manifest else None
            if shown is None:
                continue
            try:
                place, origin = self._places(one)
            except (ArchiveError, RecordError):
                # One damaged record hides no other, as above.
                continue
            line = {
                "urlkey": surt(one.url),
                "timestamp": timestamp(one.fetched_at),
                "url": one.url,
                "mime": shown.media_type.partition(";")[0].strip() or "unk",
                "status": str(shown.status),
                "digest": one.payload_digest,
                "length": str(place.length),
                "offset": str(place.offset),
                "filename": place.segment,
            }
            if origin is not None:
                line |= {
                    "orig.length": str(origin.length),
                    "orig.offset": str(origin.offset),
                    "orig.filename": origin.segment,
                }
            yield line

    def _manifest(self, one: Capture) -> Manifest | None:
        rows = versions.latest(
            self._reading.archive.index, one.site, one.slug, 1, one.sequence + 1,
            private=self._reading.private,
        )  # fmt: skip
        if not rows or rows[0].sequence != one.sequence:
            return None
        try:
            return self._reading.archive.manifest(rows[0], text=False)
        except ArchiveError:
            # One damaged snapshot hides no other; its own page says what is wrong.
            return None

    def _places(self, one: Capture) -> tuple[RecordPlace, RecordPlace | None]:
        """Return where a capture's record stands, and for a revisit where its bytes do.

        A 304 has no status of its own that a reader could be shown: there the response counts.
        """
        if one.target_id is None:
            return one.place, None
        origin = self._captures.place(one.target_id)
        if origin is None:
            return one.place, None
        at = one.place
        data = self._reading.archive.stored(at.segment, at.offset, at.length)
        status = read_member(data, verify=False).status
        return (origin, None) if status == _NOT_MODIFIED else (at, origin)


def record(reading: ThreadArchive, request: Request) -> Answer:
    """Return one WARC record of a shown snapshot: the bytes that a CDX line names, by Range."""
    asked = _RANGE.fullmatch(request.range.replace(" ", ""))
    if asked is None:
        raise wrong("Range: bytes=OFFSET-END names one record, as a line of /cdx does.")
    segment = f"{request.part('site')}/{request.part('segment')}"
    start = int(asked[1])
    captures = Captures(reading.archive.index, private=reading.private)
    place = captures.record(segment, start) if start < 1 << 62 else None
    if place is None:
        raise not_there("No record that may be shown begins at that byte.")
    end = min(int(asked[2] or place.offset + place.length - 1), place.offset + place.length - 1)
    if end < start:
        raise Refusal(416, "The range ends before it begins.")
    data = reading.archive.stored(place.segment, place.offset, end - start + 1)
    return structs.replace(
        Answer(body=data, content_type=WARC, status=206, policy="frame"),
        headers=(("Content-Range", f"bytes {start}-{end}/*"), ("Accept-Ranges", "bytes")),
    )
