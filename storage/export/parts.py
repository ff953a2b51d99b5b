"""A part of an archive as groups of WARC records that need nothing which stays behind.

A revisit says "the same bytes as that response". Where that response is not in the part, the
article's first revisit of it becomes a response with these bytes, and later ones refer to that. A
304 becomes the answer that it stood for, as a cache would have given it: replay tools would show
nothing. The manifest of such a group is written anew, under its own id, so that it stays true.
Everything else is the stored bytes as they are, their digests checked on the way.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import accumulate

from msgspec import Struct, structs

from storage.archive import Archive
from storage.errors import DamageFound
from storage.index.rows import EventRow, SnapshotRow
from storage.model import Manifest, Payload, RecordRef, Representation
from storage.segments.names import place_of
from storage.times import parse_rfc3339
from storage.warc import (
    GZIP_HEADER,
    BuiltRecord,
    Target,
    build_group,
    build_response,
    build_revisit,
)
from storage.warc_read import Parsed, RecordError, read_member

#: Records of ours that are made of others have ids of one family (RFC 9562 section 5.5), so that
#: the same part is the same bytes each time.
FAMILY = uuid.uuid5(uuid.NAMESPACE_DNS, "part.slugline.invalid")
#: RFC 9110 section 15.4.5.
_NOT_MODIFIED = 304
#: Fields of a stored answer that a 304's never replace: they are true to the stored bytes (RFC
#: 9111 section 3.2 says Content-Length; what codes and names those bytes goes with it).
_OF_THE_BYTES = frozenset(
    {"content-length", "content-encoding", "content-type", "content-range", "transfer-encoding"}
)


class Member(Struct, frozen=True, kw_only=True):
    """One record to be written: its gzip member, and what it holds (None: a manifest)."""

    data: bytes
    answer: Parsed | None = None


class Part:
    """Makes an article's groups fit. State: which bodies of the article at hand the part holds.

    They are kept by the id of the response that holds them in the archive.
    """

    def __init__(self, archive: Archive) -> None:
        """``archive`` is asked for what stays behind."""
        self._archive = archive
        self._held: dict[str, Target] = {}

    def begin(self) -> None:
        """Go on with another article: a revisit never refers to another article's response."""
        self._held = {}

    def group(self, row: SnapshotRow | EventRow, manifest: Manifest) -> Iterator[Member]:
        """Give a group's records, its manifest first. Raises DamageFound."""
        blob = self._archive.group(row)
        head, *stored = _cut(blob, row, manifest)
        borders = accumulate((len(member) for member in stored), initial=row.offset + len(head))
        answers = [
            _read(member, place_of(row.segment, at))
            for member, at in zip(stored, borders, strict=False)
        ]
        targets = {
            one.record_id: one.target_id
            for one in manifest.representations
            if one.target_id is not None
        }
        for answer, ref in zip(answers, manifest.records, strict=True):
            if ref.type == "response":
                self._held[ref.id] = _target(answer)
        own = {
            answer.head.id: target
            for answer in answers
            if (target := targets.get(answer.head.id))
            and (answer.status == _NOT_MODIFIED or not self._has(target))
        }
        if own:
            yield from self._anew(row, manifest, list(zip(stored, answers, strict=True)), own)
            return
        yield Member(data=head)
        for member, answer in zip(stored, answers, strict=True):
            yield Member(data=member, answer=answer)

    def _has(self, target: str) -> bool:
        """Tell whether the part holds the response itself, and no stand-in for it."""
        return target in self._held and self._held[target].id == target

    def _anew(
        self,
        row: SnapshotRow | EventRow,
        manifest: Manifest,
        stored: list[tuple[bytes, Parsed]],
        own: dict[str, str],
    ) -> Iterator[Member]:
        """Give a group whose records in ``own``, each with its target, are made anew."""
        built = []
        shown = {one.record_id: one for one in manifest.representations if one.record_id}
        for (member, answer), ref in zip(stored, manifest.records, strict=True):
            target = own.get(ref.id)
            if target is None:
                built.append(_as_it_is(ref, member, answer))
                continue
            record = self._own(row.id, ref, answer, target, shown[ref.id])
            stands_for = None if record.type == "response" else self._held[target].id
            shown[ref.id] = structs.replace(
                shown[ref.id], record_id=record.id, target_id=stands_for
            )
            built.append(record)
        anew = structs.replace(
            manifest,
            representations=tuple(shown.get(r.record_id, r) for r in manifest.representations),
        )
        _, blob = build_group(anew, record_id=row.id, records=built)
        yield Member(data=blob[: len(blob) - sum(len(record.member) for record in built)])
        for record in built:
            yield Member(data=record.member, answer=read_member(record.member))

    def _own(
        self, group: str, ref: RecordRef, answer: Parsed, target: str, one: Representation
    ) -> BuiltRecord:
        """Make a response of a revisit, or one that refers to what stands in for its target."""
        whole = self._archive.answer(target)
        record_id = uuid.uuid5(FAMILY, ref.id).urn
        payload = Payload(
            role=ref.role,
            url=answer.head.target_uri,
            status=answer.status,
            reason=answer.reason,
            headers=answer.headers,
            body=whole.body,
            fetched_at=one.fetched_at,
        )
        if answer.status == _NOT_MODIFIED:
            payload = structs.replace(
                payload,
                status=whole.status,
                reason=whole.reason,
                headers=_updated(whole.headers, answer.headers),
            )
        stand_in = self._held.get(target)
        if stand_in is not None:
            return build_revisit(payload, record_id=record_id, concurrent_to=group, target=stand_in)
        record = build_response(payload, record_id=record_id, concurrent_to=group)
        self._held[target] = Target(
            id=record_id,
            url=payload.url,
            date=payload.fetched_at,
            payload_digest=record.payload_digest,
        )
        return record


def _cut(blob: bytes, row: SnapshotRow | EventRow, manifest: Manifest) -> list[bytes]:
    members = []
    at = 0
    for length in (row.head, *(ref.length for ref in manifest.records)):
        members.append(blob[at : at + length])
        if not members[-1].startswith(GZIP_HEADER):
            raise DamageFound(place_of(row.segment, row.offset + at), "no record begins there")
        at += length
    if at != len(blob):
        raise DamageFound(
            place_of(row.segment, row.offset), "its records are not as its manifest says"
        )
    return members


def _read(member: bytes, where: str) -> Parsed:
    try:
        return read_member(member, verify=True)
    except RecordError as error:
        raise DamageFound(where, str(error)) from error


def _target(answer: Parsed) -> Target:
    date = parse_rfc3339(answer.head.date)
    if date is None:
        raise DamageFound(f"record {answer.head.id}", f"its date is {answer.head.date!r}")
    return Target(
        id=answer.head.id,
        url=answer.head.target_uri,
        date=date.at,
        payload_digest=answer.head.payload_digest,
    )


def _as_it_is(ref: RecordRef, member: bytes, answer: Parsed) -> BuiltRecord:
    return BuiltRecord(
        id=ref.id,
        type=ref.type,
        role=ref.role,
        member=member,
        payload_digest=answer.head.payload_digest,
        content_encoding="",  # the manifest has it already, and nobody asks here
    )


def _updated(
    stored: tuple[tuple[str, str], ...], told: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str], ...]:
    """Update a stored answer's fields by a 304's, as a cache does (RFC 9111 section 4.3.4)."""
    fresh = tuple((name, value) for name, value in told if name.lower() not in _OF_THE_BYTES)
    replaced = {name.lower() for name, _ in fresh}
    return (*(pair for pair in stored if pair[0].lower() not in replaced), *fresh)
