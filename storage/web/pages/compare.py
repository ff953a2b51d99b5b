"""Two snapshots of an article side by side, word by word, in one format."""

from __future__ import annotations

from storage.archive import SnapshotRow
from storage.diff import READABLE, text_of
from storage.errors import NoSuchArticle
from storage.index import versions
from storage.model import Manifest
from storage.web import templating
from storage.web.answer import Answer
from storage.web.lists import known_article, known_snapshot
from storage.web.pages.shown import pretty
from storage.web.reading import ThreadArchive
from storage.web.request import Request, not_there
from storage.web.words import Comparison, compare

#: Bytes a side that are compared word by word: ten times the longest article of a newspaper.
MOST_COMPARED = 512 << 10
#: Rows of one page: past these nobody reads on, and a phone could not show it.
MOST_ROWS = 2_000


def page(reading: ThreadArchive, request: Request) -> Answer:
    """Compare ``from`` with ``to`` in ``format``; the newest two where nobody said which."""
    site, slug = known_article(reading, request)
    old, new = _pair(reading, request, site, slug)
    manifests = reading.archive.manifest(old, text=False), reading.archive.manifest(new, text=False)
    names = _formats(*manifests)
    name = request.text("format") or _default(*manifests, names)
    sides = [_side(reading, manifest, name) for manifest in manifests]
    whole = "whole" in request.query
    found = _compared(sides, whole=whole)
    return templating.page(
        "compare.html",
        old=old,
        new=new,
        name=name,
        names=names,
        whole=whole,
        same=sides[0] == sides[1],
        found=found,
        rows=found.rows[:MOST_ROWS] if found else (),
        cut=len(found.rows) - MOST_ROWS if found and len(found.rows) > MOST_ROWS else 0,
        lengths=[None if side is None else len(side) for side in sides],
        recent=versions.latest(
            reading.archive.index, site, slug, 100, None, private=reading.private
        ),
    )


def _pair(
    reading: ThreadArchive, request: Request, site: str, slug: str
) -> tuple[SnapshotRow, SnapshotRow]:
    specs = [request.text("from"), request.text("to")]
    newest = versions.latest(reading.archive.index, site, slug, 2, None, private=reading.private)
    if not newest:
        raise not_there(f"The archive shows no snapshot of {slug!r}.")
    defaults = [newest[-1], newest[0]]
    old, new = (
        known_snapshot(reading, request, site, slug, spec) if spec else default
        for spec, default in zip(specs, defaults, strict=True)
    )
    return old, new


def _formats(old: Manifest, new: Manifest) -> list[str]:
    """Return the formats that both have stored, the most readable first."""
    stored = [{one.format for one in side.representations if one.record_id} for side in (old, new)]
    both = stored[0] & stored[1]
    return [*(name for name in READABLE if name in both), *sorted(both.difference(READABLE))]


def _default(old: Manifest, new: Manifest, names: list[str]) -> str:
    """Choose the most readable format that differs, else the most readable."""
    if not names:
        raise not_there(f"The two snapshots of {old.slug!r} have no format in common.")
    digests = [{one.format: one.digest for one in side.representations} for side in (old, new)]
    return next((name for name in names if digests[0][name] != digests[1][name]), names[0])


def _side(reading: ThreadArchive, manifest: Manifest, name: str) -> str | None:
    """Return a side's text; None where it is none."""
    try:
        body = reading.archive.body(manifest, name)
    except NoSuchArticle as error:
        raise not_there(f"{error}.") from error
    types = (value for field, value in body.headers if field.lower() == "content-type")
    text = text_of(body.decoded, next(types, ""))
    return pretty(text) if text is not None and name in {"json", "jsonld"} else text


def _compared(sides: list[str | None], *, whole: bool) -> Comparison | None:
    old, new = sides
    if old is None or new is None or max(len(old), len(new)) > MOST_COMPARED:
        return None
    return compare(old, new, context=None) if whole else compare(old, new)
