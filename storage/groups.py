"""From a draft to the group of records that is written: numbers, revisits, names, bytes.

No clock, no file, no database. What becomes a revisit (FORMAT.md): a payload
whose stored digest and content coding are those of an earlier *response* of the same article and
format, or a real 304. A batch is built in order, each draft on top of the ones before it.

A snapshot stands beside the one that it was judged beside, or not at all. Of several machines that
write one archive, one may die with batches on its disk that nobody sees before it is started again,
while another has its site: what that one read is then judged beside an older snapshot than what it
would be stored behind, and the same edition would be there twice. It is refused, and read again by
the next run. Where it was stored first, the late batch is what gives way (recovery). Events tell of
a moment, and are never refused for this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, structs

from storage.body_text import FORMATS, taken_out
from storage.codings import BytesLike, CodingError, decode
from storage.errors import BadDraft
from storage.files import Names
from storage.index.rows import to_micros
from storage.index.standing import Article, Standing, StoredResponse
from storage.model import Draft, Manifest, Payload, Representation
from storage.warc import (
    BuiltRecord,
    Target,
    build_group,
    build_response,
    build_revisit,
    content_encoding,
    digest,
    most_of,
    record_ids,
)


class Group(Struct, frozen=True, kw_only=True):
    """A group ready to be appended: ``blob`` is its bytes, ``id`` the manifest's record id.

    ``bodies`` are the stored bodies by record id, for whoever needs them while they are at hand.
    """

    id: str
    manifest: Manifest
    blob: bytes
    bodies: dict[str, BytesLike]


class Builder:
    """Builds a batch's groups. State: what is stored of each article, these groups included."""

    def __init__(
        self,
        standings: Mapping[Article, Standing],
        names: Names,
        files: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """``standings`` has every article of the batch; ``names`` knows every file name in use.

        ``files`` are the names that URLs and formats have been given already.
        """
        self._standings = dict(standings)
        self._names = names
        self._files = files or {}

    def build(self, draft: Draft) -> Group:
        """Give a draft its numbers and make its records. Raises BadDraft: nothing has changed."""
        article = (draft.manifest.site, draft.manifest.slug)
        standing = self._standings.get(article, Standing())
        _check(draft, standing)
        try:
            group = self._group(draft, standing)
        except ValueError as error:
            raise BadDraft(f"{article[0]}/{article[1]} can't be stored: {error}") from error
        self._standings[article] = after(standing, group.manifest)
        return group

    def _group(self, draft: Draft, standing: Standing) -> Group:
        manifest = draft.manifest
        group_id, *ids = record_ids(manifest.observed_at, 1 + len(draft.payloads))
        shown = {one.format: one for one in manifest.representations}
        records: list[BuiltRecord] = []
        bodies: dict[str, BytesLike] = {}
        for payload, record_id in zip(draft.payloads, ids, strict=True):
            one = shown.get(payload.role)
            if one is not None and not payload.not_modified:
                _check_size(one, payload)
            again = bool(standing.responses) and not payload.not_modified
            own = digest(payload.body) if again else None
            target = _target(payload, one, standing, own) if one is not None else None
            record = _record(payload, record_id, group_id, target, own)
            if one is not None:
                shown[payload.role] = self._described(one, payload, record, target)
            if record.type == "response":
                bodies[record.id] = payload.body
            records.append(record)
        revision = standing.keys.get(to_micros(manifest.key.updated_at), 0) if manifest.key else 0
        numbered = structs.replace(
            taken_out(manifest, _decoded(manifest, draft.payloads, records)),
            sequence=standing.sequence + 1,
            revision=revision,
            representations=tuple([shown[one.format] for one in manifest.representations]),
        )
        named, blob = build_group(numbered, record_id=group_id, records=records)
        return Group(id=group_id, manifest=named, blob=blob, bodies=bodies)

    def _described(
        self,
        one: Representation,
        payload: Payload,
        record: BuiltRecord,
        target: StoredResponse | None,
    ) -> Representation:
        # The manifest is to be true to its records, so what they settle is taken from them.
        same = target if target is not None and payload.not_modified else None
        return structs.replace(
            one,
            final_url=payload.url,
            fetched_at=payload.fetched_at,
            record_id=record.id,
            payload_digest=record.payload_digest,
            target_id=target.record_id if target else None,
            content_encoding=same.content_encoding if same else record.content_encoding,
            digest=same.digest if same else one.digest,
            length=same.size if same else one.length,
            file=self._names.choose(one.url, one.format, self._files.get((one.url, one.format))),
        )


def _decoded(
    manifest: Manifest, payloads: Sequence[Payload], records: Sequence[BuiltRecord]
) -> Iterator[tuple[str, bytes]]:
    """Give the bodies that are stored in this group and may hold its text, decoded."""
    kept = {
        payload.role: (payload, record.content_encoding)
        for payload, record in zip(payloads, records, strict=True)
        if record.type == "response"
    }
    for name in FORMATS:
        one = manifest.representation(name)
        if one is not None and name in kept:
            payload, coding = kept[name]
            with suppress(CodingError):
                yield name, decode(payload.body, coding, one.length)


def _check(draft: Draft, standing: Standing) -> None:
    manifest = draft.manifest
    name = f"{manifest.site}/{manifest.slug}"
    if standing.forgotten and manifest.kind == "snapshot":
        raise BadDraft(f"{name} was forgotten: nothing of it is stored any more")
    if manifest.kind == "snapshot" and (manifest.key is None or manifest.reason is None):
        raise BadDraft(f"the snapshot {name} has no key or no reason")
    if manifest.kind == "event" and manifest.event is None:
        raise BadDraft(f"the event of {name} does not say what happened")
    formats = [one.format for one in manifest.representations]
    roles = [payload.role for payload in draft.payloads if payload.role in formats]
    if len(set(formats)) < len(formats) or len(set(roles)) < len(roles):
        raise BadDraft(f"{name} has a format twice")
    if draft.beside is not None and draft.beside != standing.newest:
        raise BadDraft(f"another writer has stored {name} since it was looked for")


def _check_size(one: Representation, payload: Payload) -> None:
    if one.length > most_of(len(payload.body)):
        raise ValueError(f"{payload.url} has {one.length} bytes of next to nothing")


def _target(
    payload: Payload, one: Representation, standing: Standing, own: str | None
) -> StoredResponse | None:
    same_format = [r for r in reversed(standing.responses) if r.format == one.format]
    if payload.not_modified:
        # The validator may have come with bytes that were judged equal and not kept: then the
        # newest stored body is the one that it stands for.
        exact = (r for r in same_format if r.digest == one.digest)
        found = next(exact, None) or next(iter(same_format), None)
        if found is None:
            raise ValueError(f"{payload.url} answered 304, and no body of it is stored")
        return found
    if not same_format:
        return None
    identity = (own, content_encoding(payload))
    return next(
        (r for r in same_format if (r.payload_digest, r.content_encoding) == identity), None
    )


def _record(
    payload: Payload, record_id: str, group_id: str, target: StoredResponse | None, own: str | None
) -> BuiltRecord:
    if target is None:
        return build_response(payload, record_id=record_id, concurrent_to=group_id, own=own)
    return build_revisit(
        payload,
        record_id=record_id,
        concurrent_to=group_id,
        own=own,
        target=Target(
            id=target.record_id,
            url=target.url,
            date=target.fetched_at,
            payload_digest=target.payload_digest,
        ),
    )


def after(standing: Standing, manifest: Manifest) -> Standing:
    """Return what the article's next manifest is numbered by, behind ``manifest``."""
    keys = dict(standing.keys)
    if manifest.key is not None and manifest.kind == "snapshot":
        moment = to_micros(manifest.key.updated_at)
        keys[moment] = max(keys.get(moment, 0), manifest.revision + 1)
    added = [
        StoredResponse(
            record_id=one.record_id,
            format=one.format,
            url=one.final_url,
            fetched_at=one.fetched_at,
            payload_digest=one.payload_digest,
            content_encoding=one.content_encoding,
            digest=one.digest,
            size=one.length,
        )
        for one in manifest.representations
        if one.record_id and one.target_id is None
    ]
    return structs.replace(
        standing,
        sequence=manifest.sequence,
        newest=manifest.sequence if manifest.kind == "snapshot" else standing.newest,
        keys=keys,
        responses=(*standing.responses, *added),
    )
