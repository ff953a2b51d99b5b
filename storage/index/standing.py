"""What the index knows that the next commit and the next recovery need: numbers, bodies, places."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import Struct, field

from storage.index.naming import file_of
from storage.index.packing import mark_of, packed, unpacked
from storage.index.reader import Reader, where
from storage.index.rows import Row, from_micros, to_micros, values_of
from storage.model import Draft
from storage.segments.names import check_name

#: An article's site and slug.
Article: TypeAlias = tuple[str, str]

_BODY = (
    "n",
    "article",
    "record_id",
    "target_id",
    "format",
    "url",
    "final_url",
    "fetched_at",
    "payload_digest",
    "content_encoding",
    "digest",
    "size",
)
#: Of a representation that is a ``response`` record of its own, as the index of these has it.
_HOLDS_BYTES = ("target_id IS NULL", "length > 0")

_GROUPS_OF_SEGMENT = """
    SELECT id, "offset" AS place, length FROM snapshots WHERE segment = :segment
    UNION ALL
    SELECT id, "offset", length FROM events WHERE segment = :segment
    ORDER BY place
"""


class StoredResponse(Struct, frozen=True, kw_only=True):
    """A ``response`` record that a later revisit may refer to.

    ``url`` is its WARC-Target-URI, ``fetched_at`` its WARC-Date; ``digest`` and ``size`` are of
    the decoded bytes.
    """

    record_id: str
    format: str
    url: str
    fetched_at: datetime
    payload_digest: str
    content_encoding: str
    digest: str
    size: int


class Standing(Struct, frozen=True, kw_only=True):
    """What an article's next manifest is numbered by, responses oldest first.

    ``keys`` has the next revision by key, in microseconds, and ``responses`` are those that may
    serve for a revisit: of the keys and bytes of the drafts that were asked for. ``forgotten``: no
    snapshot of it may be stored. ``newest`` is its newest snapshot's sequence, 0 where it has none.
    """

    sequence: int = 0
    newest: int = 0
    keys: dict[int, int] = field(default_factory=dict)
    responses: tuple[StoredResponse, ...] = ()
    forgotten: bool = False


def standings(index: Reader, drafts: Sequence[Draft]) -> dict[Article, Standing]:
    """Return what is stored of each draft's article, as far as these drafts can touch it.

    A few questions for the whole batch, none of which walks through an article's history.
    """
    names = {_article(draft) for draft in drafts}
    shown = ("n", "site", "slug", "last", "newest")
    with values_of("articles"):
        known = {
            _article_of(row): msgspec.convert(
                (row["n"], row["last"], row["newest"]), tuple[int, int, int]
            )
            for row in index.matching("articles", ("site", "slug"), names, shown)
        }
    again = [draft for draft in drafts if _article(draft) in known]
    keys = _keys(index, again)
    responses = _responses(index, again, {name: n for name, (n, _, _) in known.items()})
    # Nothing but events is left of what was forgotten.
    buried = forgotten(index, [name for name, (_, _, newest) in known.items() if not newest])
    return {
        name: Standing(
            sequence=known[name][1],
            newest=known[name][2],
            keys=keys.get(name, {}),
            responses=tuple(responses.get(name, ())),
            forgotten=name in buried,
        )
        if name in known
        else Standing()
        for name in names
    }


def forgotten(index: Reader, articles: Collection[Article]) -> set[Article]:
    """Return which of these articles have a tombstone."""
    columns = ("site", "slug", "event")
    rows = index.matching("events", columns[:2], articles, columns)
    return {_article_of(row) for row in rows if row["event"] == "forgotten"}


def _article(draft: Draft) -> Article:
    return draft.manifest.site, draft.manifest.slug


def _article_of(row: Row) -> Article:
    return row["site"], row["slug"]


def _keys(index: Reader, drafts: Sequence[Draft]) -> dict[Article, dict[int, int]]:
    wanted = {
        (*_article(draft), to_micros(draft.manifest.key.updated_at))
        for draft in drafts
        if draft.manifest.key is not None
    }
    found: dict[Article, dict[int, int]] = {}
    by = ("site", "slug", "updated_at")
    for row in index.matching("snapshots", by, wanted, (*by, "revision")):
        counts = found.setdefault(_article_of(row), {})
        # Not how many there are: some may have been pruned.
        counts[row["updated_at"]] = max(counts.get(row["updated_at"], 0), row["revision"] + 1)
    return found


def _responses(
    index: Reader, drafts: Sequence[Draft], numbers: Mapping[Article, int]
) -> dict[Article, list[StoredResponse]]:
    wanted = {
        (numbers[_article(draft)], packed(one.digest))
        for draft in drafts
        for one in draft.manifest.representations
    }
    found: dict[int, dict[int, StoredResponse]] = {}
    by = ("article", "digest")
    for row in index.matching("representations", by, wanted, _BODY, _HOLDS_BYTES):
        found.setdefault(row["article"], {})[row["n"]] = _response(row)
    for draft in drafts:
        number = numbers[_article(draft)]
        some = found.setdefault(number, {})
        for name in _not_modified(draft, some.values()):
            newest = _newest_response(index, number, name)
            if newest is not None:
                some[newest["n"]] = _response(newest)
    return {
        name: [found[number][n] for n in sorted(found[number])]
        for name, number in numbers.items()
        if number in found
    }


def _not_modified(draft: Draft, stored: Collection[StoredResponse]) -> set[str]:
    """Return the formats that answered 304 and whose own bytes are not among ``stored``."""
    said = {payload.role for payload in draft.payloads if payload.not_modified}
    known = {(one.format, one.digest) for one in stored}
    shown = {one.format: one.digest for one in draft.manifest.representations}
    return {name for name in said & shown.keys() if (name, shown[name]) not in known}


def _newest_response(index: Reader, article: int, name: str) -> Row | None:
    wanted = ("article = :article", "format = :name", *_HOLDS_BYTES)
    newest = "ORDER BY sequence DESC"
    question = ("SELECT * FROM representations", where(wanted), newest)
    return index.ask_one(*question, article=article, name=name)


def _response(row: Row) -> StoredResponse:
    with values_of("representations"):
        return StoredResponse(
            record_id=unpacked(row["record_id"]),
            format=row["format"],
            url=row["final_url"] or row["url"],
            fetched_at=from_micros(row["fetched_at"]),
            payload_digest=row["payload_digest"],
            content_encoding=row["content_encoding"],
            digest=unpacked(row["digest"]),
            size=row["size"],
        )


def file_names(index: Reader, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the names under files/ that URLs and formats have been given, by both."""
    asked = {(mark_of(url), name): url for url, name in wanted}
    found = {}
    for row in index.matching("urls", ("mark", "format"), asked.keys(), ("mark", "format", "file")):
        if row["file"]:
            url = asked[row["mark"], row["format"]]
            found[url, row["format"]] = file_of({"url": url} | row)
    return found


def held_paths(index: Reader, paths: Collection[str]) -> dict[str, bool]:
    """Return which of some folded paths under files/ are in use: True for a folder."""
    asked = {mark_of(path): path for path in paths}
    rows = index.matching("files", ("mark",), [(mark,) for mark in asked], ("mark", "folder"))
    return {asked[row["mark"]]: bool(row["folder"]) for row in rows}


def known_segments(index: Reader) -> dict[str, int]:
    """Every indexed segment's name and committed length, by name. Raises IndexLies."""
    rows = index.ask("SELECT name, committed FROM segments ORDER BY name")
    with values_of("segments"):
        for row in rows:
            check_name(row["name"])
        return msgspec.convert({row["name"]: row["committed"] for row in rows}, dict[str, int])


def ends_of(index: Reader, segment: str) -> list[tuple[str, int, int]]:
    """First and last indexed group of a segment: manifest's id, offset and length."""
    found = []
    for direction in ("", "DESC"):
        row = index.ask_one(_GROUPS_OF_SEGMENT, direction, segment=segment)
        if row is not None:
            with values_of("snapshots"):
                found.append((unpacked(row["id"]), row["place"], row["length"]))
    return found
