"""From a reading to what is handed to the store: a draft of a snapshot, or nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct, structs

from crawler.article.assemble import Assembly, Inferred, assemble
from crawler.article.copies import Copy
from crawler.article.judge import READ_FOR_WORDS, Formats, Judgement, judge
from crawler.article.reading import Reading
from crawler.facts import Facts
from crawler.vanishing import Proofs
from storage.model import (
    ContentDigest,
    Draft,
    EventKind,
    Finding,
    Key,
    Manifest,
    Record,
    Representation,
    Site,
    Stamp,
)
from storage.times import parse_declared, parse_http_date

#: The robots rule that forbids keeping a copy.
NOARCHIVE = "noarchive"
#: Robots rules that take a value after a colon, as an agent's name before its rules does.
VALUED_RULES = frozenset(
    {"max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"}
)

#: A file whose Last-Modified is as young as this was made for the request, or is seen next time.
MADE_WHEN_ASKED = timedelta(minutes=1)


class Context(Struct, frozen=True, kw_only=True):
    """Where and when a reading happened: what a manifest says beside the article's own words.

    ``every_byte``: bytes that changed without words are kept too (``keep = "bytes"``).
    """

    site: Site
    run: str
    now: datetime
    agent: str = "slugline"
    every_byte: bool = False


class Candidate(Struct, frozen=True, kw_only=True):
    """A reading merged and judged; ``judgement.reason`` None means that nothing is to be stored.

    ``beside`` is the sequence of the snapshot that it was judged beside, 0 for none.
    """

    reading: Reading
    slug: str
    assembly: Assembly
    judgement: Judgement
    beside: int = 0
    taken: bool = False


def declared_slug(reading: Reading) -> str | None:
    """Return the slug that the article's record states, or that the records file gives it.

    One that another mirror gave it goes before both.
    """
    if reading.entry.listed is not None:
        return reading.entry.listed.slug
    facts = reading.facts
    stated = (facts[name].slug for name in ("record", "json") if name in facts)
    listed = reading.entry.hint.slug if reading.entry.hint else None
    return next((slug for slug in stated if slug), listed)


def consider(
    reading: Reading,
    slug: str,
    newest: Manifest | None,
    context: Context,
    earlier: Iterable[Mapping[str, ContentDigest]] = (),
    *,
    taken: bool = False,
) -> Candidate:
    """Merge ``reading`` into one record and judge it beside the ``newest`` snapshot."""
    assembly = assemble(
        reading.facts,
        slug=slug,
        url=reading.url,
        alternates=reading.alternates,
        inferred=_inferred(reading, context.now),
        hint=reading.entry.hint,
        known=newest.key if newest else None,
        content=reading.content,
    )
    if reading.canonical_source and assembly.record.canonical_source is None:
        record = structs.replace(assembly.record, canonical_source=reading.canonical_source)
        assembly = structs.replace(assembly, record=record)
    # Another mirror keeps no bytes for their own sake: what is new there is a snapshot there.
    every_byte = context.every_byte or reading.entry.listed is not None
    formats = Formats(
        present=frozenset(reading.copies),
        undeclared=reading.withdrawn,
        rewritten=_rewritten(reading, newest) if every_byte else _replaced(reading, newest),
    )
    return Candidate(
        reading=reading,
        slug=slug,
        assembly=assembly,
        judgement=judge(newest, assembly, formats, earlier),
        beside=newest.sequence if newest else 0,
        taken=taken,
    )


def draft(candidate: Candidate, context: Context) -> Draft:
    """Write down a candidate that is to be stored."""
    reading, assembly = candidate.reading, candidate.assembly
    copies = tuple(reading.copies.values())
    usage = _usages(copies)
    barred = bool(usage) and any(_bars(value, context.agent) for value in usage.values())
    findings = (*assembly.findings, *reading.findings, *candidate.judgement.findings)
    if candidate.taken:
        findings = (*findings, Finding(kind="slug-taken", detail="its short name is another's"))
    if barred:
        findings = (*findings, Finding(kind="noarchive", detail="its publisher forbids copies"))
    manifest = Manifest(
        site=context.site.name,
        scope=context.site.scope,
        implicit=context.site.implicit,
        slug=candidate.slug,
        url=reading.url,
        observed_at=context.now,
        run=context.run,
        key=candidate.judgement.key,
        reason=candidate.judgement.reason,
        state="partial" if reading.missing else "complete",
        missing=reading.missing,
        record=_record(assembly.record, candidate.judgement.key, barred=barred),
        said=assembly.said,
        canonical=reading.claims,
        content=assembly.content,
        stamps=assembly.stamps,
        representations=tuple([copy.representation for copy in copies]),
        findings=tuple(dict.fromkeys(findings)),
        aliases=tuple(sorted(reading.aliases)),
        usage=usage,
        redacted=tuple(sorted({name for copy in copies for name in copy.redacted})),
        private=any(copy.private for copy in copies),
    )
    payloads = () if barred else tuple([p for copy in copies for p in copy.payloads])
    return Draft(manifest=manifest, payloads=payloads, beside=candidate.beside)


def alias_event(newest: Manifest, alias: str, context: Context) -> Draft:
    """Write down that ``alias`` was found to lead to an article the archive has."""
    return Draft(
        manifest=Manifest(
            kind="event",
            event="alias",
            site=newest.site,
            scope=newest.scope,
            implicit=newest.implicit,
            slug=newest.slug,
            url=newest.url,
            observed_at=context.now,
            run=context.run,
            aliases=(alias,),
        )
    )


def happened(
    newest: Manifest,
    event: EventKind,
    context: Context,
    *,
    detail: Mapping[str, str],
    evidence: Proofs,
    url: str = "",
) -> Draft:
    """Write down what happened to a known article, with the answers that show it.

    ``url`` is where it is now, if that is another than before.
    """
    barred = any(
        _bars(value, context.agent)
        for payload in evidence.payloads
        for name, value in payload.headers
        if name.lower() == "x-robots-tag"
    )
    return Draft(
        manifest=Manifest(
            kind="event",
            event=event,
            site=newest.site,
            scope=newest.scope,
            implicit=newest.implicit,
            slug=newest.slug,
            url=url or newest.url,
            observed_at=context.now,
            run=context.run,
            detail=dict(detail),
            redacted=evidence.redacted,
            private=evidence.private,
        ),
        payloads=() if barred else evidence.payloads,
    )


def _rewritten(reading: Reading, newest: Manifest | None) -> frozenset[str]:
    """Return the formats whose bytes are not the newest snapshot's."""
    old = {each.format: each.digest for each in newest.representations} if newest else {}
    return frozenset(
        name
        for name, copy in reading.copies.items()
        if name in old and old[name] != copy.representation.digest
    )


def _replaced(reading: Reading, newest: Manifest | None) -> frozenset[str]:
    """Return the formats without words, such as a PDF, that the publisher put another file in for.

    Bytes alone don't tell: many servers make such a file anew for each request. So its
    Last-Modified (RFC 9110 section 8.8.2) must be another, too, and not the moment of the answer.
    """
    if newest is None:
        return frozenset()
    wordless = {
        name: copy
        for name, copy in reading.copies.items()
        if not _is_compared_by_words(copy.facts, newest)
    }
    if not wordless:
        return frozenset()
    old = {each.format: each for each in newest.representations if each.record_id}
    return frozenset(
        name for name, copy in wordless.items() if name in old and _is_other_file(old[name], copy)
    )


def _is_compared_by_words(facts: Facts, newest: Manifest) -> bool:
    if facts.source in READ_FOR_WORDS:
        return True
    return facts.source in newest.content and bool(facts.words or facts.body)


def _is_other_file(old: Representation, copy: Copy) -> bool:
    now = copy.representation
    if old.digest == now.digest or not (old.last_modified and now.last_modified):
        return False
    before, after = parse_http_date(old.last_modified), parse_http_date(now.last_modified)
    if before is None or after is None or before.at == after.at:
        return False
    return after.at <= _answered_at(copy) - MADE_WHEN_ASKED


def _answered_at(copy: Copy) -> datetime:
    """Return the moment of a copy's answer by its server's clock, which its dates go by."""
    headers = copy.payloads[-1].headers if copy.payloads else ()
    said = next((value for name, value in headers if name.lower() == "date"), "")
    stamp = parse_http_date(said)
    return stamp.at if stamp else copy.representation.fetched_at


def _record(record: Record, key: Key, *, barred: bool) -> Record:
    """Let the record say the key it is filed under; a barred one keeps no text."""
    updated_at = key.updated_at if key.declared else record.updated_at
    body = None if barred else record.body_md
    summary = None if barred else record.summary
    return structs.replace(record, updated_at=updated_at, body_md=body, summary=summary)


def _inferred(reading: Reading, now: datetime) -> Inferred:
    newest: Stamp | None = None
    for copy in reading.copies.values():
        given = copy.representation.last_modified
        stamp = parse_http_date(given) if given else None
        if stamp is not None and (newest is None or stamp.at > newest.at):
            newest = stamp
    sitemap = _zoned(parse_declared(reading.entry.lastmod))
    return Inferred(sitemap=sitemap, last_modified=newest, observed=now)


def _zoned(stamp: Stamp | None) -> Stamp | None:
    """Read a sitemap's time without a zone as UTC, as its protocol's examples do."""
    return structs.replace(stamp, offset=0) if stamp and stamp.offset is None else stamp


def _usages(copies: Iterable[Copy]) -> dict[str, str]:
    """Return what limits the use of each copy: its header fields, then its page's own words."""
    found: dict[str, str] = {}
    for copy in copies:
        found |= copy.usage
        if copy.facts.robots:
            found[f"{copy.representation.format}: meta robots"] = copy.facts.robots
        for name, value in copy.facts.tdm.items():
            found[f"{copy.representation.format}: meta {name}"] = value
    return found


def _bars(value: str, agent: str) -> bool:
    """Say whether a robots tag's value forbids copies to all, or to ``agent`` by name."""
    for line in value.lower().splitlines():
        named = ""
        for part in line.split(","):
            name, colon, rule = (piece.strip() for piece in part.partition(":"))
            if not colon:
                rule = name
            elif name not in VALUED_RULES:
                named = name
            if rule == NOARCHIVE and named in ("", agent.lower()):
                return True
    return False
