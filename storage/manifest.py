"""A manifest as bytes and back: JSON (RFC 8259) on one line, the same bytes for the same value.

Pure. Every top-level key is written, so that a reader of another make needs no table of
defaults, and so that ``format`` stands in each one. Moments are RFC 3339 in UTC with ``Z``.
Keys that this version doesn't know are passed over; a newer ``format`` is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import Struct, structs

from storage.files import is_inside
from storage.model import FORMAT_VERSION, Manifest, Representation

#: Bytes of one manifest's JSON: it holds an article's text once; 64 MiB is a library of it.
MAX_MANIFEST = 64 << 20
#: Records in one group: a snapshot has a handful of formats, each with up to five hops.
MAX_RECORDS = 1_000
#: Bytes of a manifest's JSON besides its record's text: in memory, objects take many times what
#: they take as JSON, and 4 MiB describe ten thousand formats.
MAX_MANIFEST_PARTS = 4 << 20
#: Decoded bytes of one format: 1 TiB, far past the most that config.toml lets be fetched.
MAX_LENGTH = 1 << 40
#: HTTP's statuses have three digits (RFC 9110 section 15).
MAX_STATUS = 999
#: The highest sequence number and revision: whole numbers that every reader of JSON takes exactly
#: (RFC 8259 section 6), with room to count on.
MAX_COUNT = 1 << 52
#: The largest number that a format tells of itself: every reader of JSON takes it exactly.
MAX_NUMBER = (1 << 53) - 1
#: Compressed bytes of one record: a segment's size; Content-Length has no bound of its own.
MAX_MEMBER = 1 << 30
_NOTHING = timedelta(0)
#: How a manifest of a version that is known begins, as it is written here.
_OURS = frozenset(f'{{"format":{version},'.encode() for version in range(1, FORMAT_VERSION + 1))
_OPENING = len(f'{{"format":{FORMAT_VERSION},')


class ManifestError(ValueError):
    """Bytes that are no manifest, or a value that can't be one: the message says why."""


class NewerManifest(ManifestError):
    """A manifest of a newer format version than this code knows."""


class _Written(Manifest, frozen=True, kw_only=True, omit_defaults=False):
    """The manifest as it is written: no key is left out."""


class _Version(Struct, frozen=True):
    format: int


class _Parts(Struct, frozen=True):
    """A manifest's record and, of that, the text: as they are written, nothing made of them."""

    record: msgspec.Raw = msgspec.Raw(b"")


class _RecordParts(Struct, frozen=True):
    body_md: msgspec.Raw = msgspec.Raw(b"")


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Manifest)
_version = msgspec.json.Decoder(_Version)
_parts = msgspec.json.Decoder(_Parts)
_record_parts = msgspec.json.Decoder(_RecordParts | None)


def encode(manifest: Manifest) -> bytes:
    """Write the manifest's JSON. Raises ManifestError for a value that would not be read back."""
    _check(manifest)
    try:
        data = _encoder.encode(_Written(**structs.asdict(manifest)))
    except UnicodeEncodeError as error:
        raise ManifestError(f"the manifest holds text that is not Unicode: {error}") from error
    if len(data) > MAX_MANIFEST:
        raise ManifestError(f"the manifest has {len(data)} bytes, more than {MAX_MANIFEST}")
    return data


def decode(data: bytes | memoryview) -> Manifest:
    """Read the manifest that ``data`` holds. Raises ManifestError, NewerManifest among them."""
    if len(data) > MAX_MANIFEST:
        raise ManifestError(f"{len(data)} bytes, more than a manifest's {MAX_MANIFEST}")
    try:
        if bytes(data[:_OPENING]) not in _OURS:
            _check_version(data)
        _check_parts(data)
        manifest = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ManifestError(f"no manifest: {error}") from error
    if not 1 <= manifest.format <= FORMAT_VERSION:
        _check_version(data)  # a second one, after the first
    _check(manifest)
    return manifest


def _check_version(data: bytes | memoryview) -> None:
    version = _version.decode(data).format
    if version > FORMAT_VERSION:
        raise NewerManifest(f"format version {version}, and this slugline knows {FORMAT_VERSION}")
    if version < 1:
        raise ManifestError(f"format version {version}, and there is none below 1")


def _check_parts(data: bytes | memoryview) -> None:
    """Bound what lists and mappings would take in memory, before any is made."""
    if len(data) <= MAX_MANIFEST_PARTS:
        return
    record = memoryview(_parts.decode(data).record)
    facts = _record_parts.decode(record) if record else None
    text = len(memoryview(facts.body_md)) if facts else 0
    if len(data) - text > MAX_MANIFEST_PARTS:
        raise ManifestError(f"{len(data) - text} bytes besides the article's text")


def _check(manifest: Manifest) -> None:
    if not 0 <= manifest.sequence <= MAX_COUNT or not 0 <= manifest.revision <= MAX_COUNT:
        raise ManifestError(f"number {manifest.sequence}, revision {manifest.revision}")
    if not is_inside(manifest.site) or "/" in manifest.site:
        raise ManifestError(f"{manifest.site!r} is no site's name")
    place = manifest.body_in
    if place is not None and not (
        0 <= place.start <= MAX_LENGTH and 0 <= place.length <= MAX_LENGTH
    ):
        raise ManifestError(f"its text would be {place.length} bytes at {place.start}")
    for one in manifest.representations:
        _check_representation(one)
    _check_records(manifest)
    for moment in _moments(manifest):
        if moment.tzinfo is not UTC and moment.utcoffset() != _NOTHING:
            raise ManifestError(f"a moment that is not in UTC: {moment.isoformat()}")


def _check_representation(one: Representation) -> None:
    if one.file and not is_inside(one.file):
        raise ManifestError(f"its {one.format} would be a file outside files/: {one.file!r}")
    if not 0 <= one.length <= MAX_LENGTH or not 0 <= one.status <= MAX_STATUS:
        raise ManifestError(f"its {one.format} has {one.length} bytes, status {one.status}")
    for name, value in one.particulars.items():
        if isinstance(value, int) and abs(value) > MAX_NUMBER:
            raise ManifestError(f"its {one.format} has a number for {name!r} past {MAX_NUMBER}")


def _check_records(manifest: Manifest) -> None:
    if len(manifest.records) > MAX_RECORDS:
        raise ManifestError(f"{len(manifest.records)} records, more than {MAX_RECORDS}")
    for ref in manifest.records:
        if not 0 < ref.length <= MAX_MEMBER:
            raise ManifestError(f"record {ref.id!r} with a length of {ref.length}")
    if len({ref.id for ref in manifest.records}) < len(manifest.records):
        raise ManifestError("two records with one id")


def _moments(manifest: Manifest) -> list[datetime]:
    moments = [one.fetched_at for one in manifest.representations]
    moments.append(manifest.observed_at)
    if manifest.key is not None:
        moments.append(manifest.key.updated_at)
    if manifest.record is not None:
        told = (manifest.record.published_at, manifest.record.updated_at)
        moments += [moment for moment in told if moment is not None]
    return moments
