"""From a manifest to the rows that stand for it: one pure function, for commit and reindex alike.

Whatever a reading command shows must come out of here, so that an index made again from the
segments says the same, line for line. No clock, no database, no file.
"""

from __future__ import annotations

from msgspec import Struct

from storage.index.naming import known
from storage.index.packing import Packed, packed
from storage.index.rows import (
    EPOCH,
    MICROSECOND,
    Place,
    Values,
    content_mark,
    to_json,
    to_micros,
)
from storage.model import Manifest


class Rows(Struct, frozen=True, kw_only=True, gc=False):
    """The rows of one manifest, by table; ``representations`` and ``urls`` lack their article."""

    site: Values
    article: Values
    snapshot: Values | None
    event: Values | None
    representations: tuple[Values, ...]
    urls: tuple[Values, ...]
    files: tuple[Values, ...]
    names: tuple[Values, ...]
    validators: tuple[Values, ...]


def rows_of(manifest: Manifest, place: Place) -> Rows:
    """Every row that follows from one manifest at its place; pure.

    Raises ValueError for a snapshot without a key or reason: nothing that the writer stores.
    """
    snapshot = manifest.kind == "snapshot"
    shown = _Shown()
    _show(manifest, place, shown)
    return Rows(
        site=(manifest.site, manifest.scope, manifest.implicit),
        article=_article(manifest),
        snapshot=_snapshot(manifest, place) if snapshot else None,
        event=None if snapshot else _event(manifest, place),
        representations=tuple(shown.representations) if snapshot else (),
        urls=tuple(shown.urls) if snapshot else (),
        files=tuple(shown.files) if snapshot else (),
        names=_names(manifest),
        validators=tuple(shown.validators),
    )


def validator_values(
    mark: int, etag: str | None, last_modified: str | None, digest: Packed | bytes, micros: int
) -> Values:
    """Return the row of the validators of ``mark``'s URL, as they were seen at that moment."""
    return (mark, etag, last_modified, digest, micros)


def _common(manifest: Manifest, place: Place) -> Values:
    return (
        packed(place.id),
        manifest.site,
        manifest.slug,
        manifest.sequence,
        manifest.url,
        to_micros(manifest.observed_at),
        manifest.run,
        manifest.implicit,
        place.segment,
        place.offset,
        place.length,
        _head(manifest, place),
    )


def _head(manifest: Manifest, place: Place) -> int:
    return place.length - sum([record.length for record in manifest.records])


def _article(manifest: Manifest) -> Values:
    sequence = manifest.sequence
    newest = sequence if manifest.kind == "snapshot" else 0
    placed = sequence if newest or manifest.event == "moved" else 0
    return (manifest.site, manifest.slug, manifest.url, sequence, newest, placed)


def _snapshot(manifest: Manifest, place: Place) -> Values:
    if manifest.key is None or manifest.reason is None:
        message = f"the snapshot {manifest.site}/{manifest.slug} has no key or no reason"
        raise ValueError(message)
    return (
        *_common(manifest, place),
        to_micros(manifest.key.updated_at),
        manifest.key.unit,
        manifest.key.source,
        manifest.revision,
        manifest.reason,
        manifest.state,
        to_json([r.format for r in manifest.representations]),
        to_json(manifest.missing) if manifest.missing else "{}",
        to_json(manifest.findings) if manifest.findings else "[]",
        manifest.record.title if manifest.record else None,
        "".join([content_mark(*each) for each in sorted(manifest.content.items())]),
        manifest.private,
    )


def _event(manifest: Manifest, place: Place) -> Values:
    return (*_common(manifest, place), manifest.event or "", to_json(manifest.detail))


class _Shown(Struct):
    """What follows from the representations of one manifest."""

    representations: list[Values] = []
    urls: list[Values] = []
    files: dict[Values, None] = {}
    validators: list[Values] = []


def _show(manifest: Manifest, place: Place, shown: _Shown) -> None:
    places: dict[str, tuple[int, int]] = {}
    at = place.offset + _head(manifest, place)
    for record in manifest.records:
        places[record.id] = (at, record.length)
        at += record.length
    for one in manifest.representations:
        mark, file, path, folders = known(one.url, one.format, one.file)
        digest = packed(one.digest)
        fetched_at = (one.fetched_at - EPOCH) // MICROSECOND
        shown.urls.append((mark, one.format, file))
        if path is not None:
            shown.files[path, False] = None
            shown.files |= folders
        if one.record_id and (one.etag or one.last_modified):
            seen = validator_values(mark, one.etag, one.last_modified, digest, fetched_at)
            shown.validators.append(seen)
        row = (
            manifest.sequence,
            one.format,
            one.url,
            "" if one.final_url == one.url else one.final_url,
            digest,
            one.length,
            fetched_at,
            one.content_encoding,
            one.payload_digest,
            packed(one.record_id),
            None if one.target_id is None else packed(one.target_id),
            file,
            *places.get(one.record_id, (0, 0)),
        )
        shown.representations.append(row)


def _names(manifest: Manifest) -> tuple[Values, ...]:
    seen_at = to_micros(manifest.observed_at)
    if not manifest.aliases and manifest.event is None:
        return ((manifest.site, manifest.url, manifest.slug, True, seen_at),)
    urls = {manifest.url, *manifest.aliases}
    slugs: set[str] = set()
    if manifest.event in {"moved", "alias"}:
        urls |= {manifest.detail[end] for end in ("from", "to", "url") if end in manifest.detail}
        slugs = {manifest.detail["slug"]} if "slug" in manifest.detail else set()
    return tuple(
        [
            (manifest.site, name, manifest.slug, name in urls, seen_at)
            for name in sorted(urls | slugs)
        ]
    )
