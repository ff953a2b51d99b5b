"""From what each format says to what the article is: one record, one key, with who said what.

Pure: values in, values out, no clock and no network. The order in which sources are believed,
what makes two times equal and when a key is null are decided here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from crawler.digest import content_digest
from crawler.facts import Facts
from storage.model import (
    DECLARED_SOURCES,
    ContentDigest,
    Finding,
    Key,
    KeySource,
    Record,
    Stamp,
)
from storage.times import finer, format_utc, plausible, same_moment

#: Whose words are taken first for every field but the body. Who is not named comes last.
TRUST = ("record", "json", "jsonld", "markdown", "html", "text", "other")
#: Markdown is what ``body_md`` promises; only then what can stand in for it.
BODY_TRUST = ("record", "markdown", "json", "jsonld", "text", "html")


#: Characters of a title that are kept in the record: it stands in every list and on terminals, and
#: the longest real ones, of scholarly articles, have some 500.
MAX_TITLE = 4_096


class Inferred(Struct, frozen=True, kw_only=True):
    """Times that hint at an edit without the publisher declaring one."""

    sitemap: Stamp | None = None
    last_modified: Stamp | None = None
    observed: datetime


class Assembly(Struct, frozen=True, kw_only=True):
    """What one reading of an article amounts to, before history is asked."""

    record: Record
    key: Key
    stamps: dict[str, Stamp]
    said: dict[str, str]
    content: dict[str, ContentDigest]
    findings: tuple[Finding, ...] = ()
    bodied: frozenset[str] = field(default_factory=frozenset)


def assemble(
    facts: Mapping[str, Facts],
    *,
    slug: str,
    url: str,
    alternates: Mapping[str, str],
    inferred: Inferred,
    hint: Record | None = None,
    known: Key | None = None,
    content: Mapping[str, ContentDigest] | None = None,
) -> Assembly:
    """Merge the formats' ``facts`` (by source name) into one record and one key.

    ``alternates`` maps each declared format to its URL; ``hint`` is the records file's own record
    and fills only what no format gives; ``known`` is the newest snapshot's key: an equal time is
    that key. ``content`` are the facts' digests, where they were made before.
    """
    stamps, implausible = declared_stamps(facts, inferred.observed)
    said: dict[str, str] = {}
    published = _published(facts, hint)
    if published is not None:
        said["published_at"] = published[0]
    listed = _listed(hint.updated_at if hint else None, inferred.observed)
    key = resolve_key(stamps, published[1] if published else None, inferred, known, listed)
    words = _words(trusted(facts), hint, said)
    if (stated_by := _stated_by(key, stamps, listed)) is not None:
        said["updated_at"] = stated_by
    record = Record(
        slug=slug,
        url=url,
        published_at=published[1].at if published else None,
        updated_at=key.updated_at if key.declared else (listed.at if listed else None),
        alternates=dict(alternates),
        canonical_source=words.canonical_source,
        title=words.title,
        summary=words.summary,
        body_md=words.body_md,
        lang=words.lang,
        topics=words.topics,
        entities=words.entities,
    )
    return Assembly(
        record=record,
        key=key,
        stamps=stamps,
        said=said,
        content=dict(contents(facts) if content is None else content),
        findings=(*_findings(facts), *implausible),
        bodied=frozenset([source for source, each in facts.items() if each.body]),
    )


def contents(facts: Mapping[str, Facts]) -> dict[str, ContentDigest]:
    """Return the content digests of what has words, by source."""
    digests = [(source, content_digest(each)) for source, each in facts.items()]
    return {source: digest for source, digest in digests if digest is not None}


def _findings(facts: Mapping[str, Facts]) -> list[Finding]:
    """Return what the parsers found, and whose title is longer than what is kept of one."""
    found: list[Finding] = []
    for each in facts.values():
        found += each.findings
    detail = f"its title is longer than {MAX_TITLE:,} characters"
    for source, each in facts.items():
        if each.title is not None and len(each.title) > MAX_TITLE:
            found.append(Finding(kind="too-long", detail=detail, formats=(source,)))
    return found


def trusted(facts: Mapping[str, Facts], order: tuple[str, ...] = TRUST) -> dict[str, Facts]:
    """Return the formats that are here, the most trusted first, and last those nobody ranked."""
    return {source: facts[source] for source in order if source in facts} | dict(facts)


def declared_stamps(
    facts: Mapping[str, Facts], now: datetime
) -> tuple[dict[str, Stamp], tuple[Finding, ...]]:
    """Return the plausible declared update times by source, and a finding for each other one."""
    stamps: dict[str, Stamp] = {}
    findings = []
    for source in DECLARED_SOURCES:
        if source not in facts or (stamp := facts[source].updated_at) is None:
            continue
        if plausible(stamp, now):
            stamps[source] = stamp
        else:
            detail = f"{source} says it was updated at {format_utc(stamp.at)}"
            findings.append(Finding(kind="implausible-date", detail=detail, formats=(source,)))
    return stamps, tuple(findings)


def resolve_key(
    stamps: Mapping[str, Stamp],
    published: Stamp | None,
    inferred: Inferred,
    known: Key | None,
    listed: Stamp | None = None,
) -> Key:
    """Choose the key: declared and zoned, else declared, else inferred, else the moment we looked.

    An equal time under another precision or zone is the ``known`` key itself, so that a source
    which changes its way of writing opens nothing. ``listed`` is the records file's word, which
    speaks only where no format does.
    """
    zoned = _zoned(stamps)
    group = _newest_agreeing(zoned) or _newest_agreeing(stamps)
    if group is not None:
        source, stamp = group
        return _known_or(_key(source, stamp), stamp, known)
    hints: tuple[tuple[KeySource, Stamp | None], ...] = (
        ("records-file", listed),
        ("sitemap", inferred.sitemap),
        ("last-modified", inferred.last_modified),
        ("published", published),
    )
    for name, hint in hints:
        if hint is not None and plausible(hint, inferred.observed):
            return _known_or(_key(name, hint), hint, known)
    return Key(updated_at=inferred.observed, unit="microsecond", source="observed")


def disagreeing(stamps: Mapping[str, Stamp]) -> frozenset[str]:
    """Return the sources whose zoned time is older than the newest one: a torn set's stale side."""
    zoned = _zoned(stamps)
    if len(zoned) <= 1:
        return frozenset()
    newest = max(zoned.values(), key=_moment_of)
    stale = [source for source, stamp in zoned.items() if not same_moment(stamp, newest)]
    return frozenset(stale)


def _zoned(stamps: Mapping[str, Stamp]) -> dict[str, Stamp]:
    return {source: stamp for source, stamp in stamps.items() if stamp.offset is not None}


def _moment_of(stamp: Stamp) -> datetime:
    return stamp.at


def _newest_agreeing(stamps: Mapping[str, Stamp]) -> tuple[KeySource, Stamp] | None:
    """Pick the most trusted source that says the newest time, at the finest precision said.

    Where all agree this is the first source in order; where they do not, the set was torn and is
    committed under its newest declared time.
    """
    stale = disagreeing(stamps)
    agreeing = [source for source in DECLARED_SOURCES if source in stamps and source not in stale]
    if not agreeing:
        return None
    best = stamps[agreeing[0]]
    for source in agreeing[1:]:
        if same_moment(best, stamps[source]):
            best = finer(best, stamps[source])
    return agreeing[0], best


def _key(source: KeySource, stamp: Stamp) -> Key:
    return Key(
        updated_at=stamp.at,
        unit=stamp.unit,
        source=source,
        zone_assumed=stamp.offset is None,
        offset=stamp.offset or 0,
    )


def _known_or(key: Key, stamp: Stamp, known: Key | None) -> Key:
    if known is not None and same_moment(stamp, as_stamp(known)):
        return known
    return key


def as_stamp(key: Key) -> Stamp:
    """Read a key as the moment it names, as it was written."""
    offset = None if key.zone_assumed else key.offset
    return Stamp(at=key.updated_at, unit=key.unit, offset=offset)


class _Words(Struct, frozen=True, kw_only=True):
    title: str | None
    summary: str | None
    body_md: str | None
    canonical_source: str | None
    lang: str | None
    topics: tuple[str, ...]
    entities: tuple[str, ...]


def _words(formats: dict[str, Facts], hint: Record | None, said: dict[str, str]) -> _Words:
    bodies = trusted(formats, BODY_TRUST)
    title = _picked("title", _titled(formats), hint, said)
    summary = _picked("summary", formats, hint, said)
    body = _picked("body_md", bodies, hint, said, attribute="body")
    return _Words(
        title=_cut(title),
        summary=summary,
        body_md=_headed(body, said, formats),
        canonical_source=_picked("canonical_source", formats, hint, said),
        lang=_picked("lang", formats, hint, said),
        topics=_picked("topics", formats, hint, said) or (),
        entities=_picked("entities", formats, hint, said) or (),
    )


def _picked(
    name: str,
    order: Mapping[str, Facts],
    hint: Record | None,
    said: dict[str, str],
    *,
    attribute: str = "",
) -> Any:
    """Return the first value that is none of empty, the records file's last; note who said it."""
    for source, each in order.items():
        if value := getattr(each, attribute or name):
            said[name] = source
            return value
    value = getattr(hint, name) if hint is not None else None
    if value:
        said[name] = "records-file"
    return value


def _cut(title: str | None) -> str | None:
    return title if title is None or len(title) <= MAX_TITLE else f"{title[: MAX_TITLE - 1]}…"


def _titled(formats: dict[str, Facts]) -> dict[str, Facts]:
    """Order the sources for the title: a declared one goes before any heading taken for it."""
    guessed = {source: each for source, each in formats.items() if each.title_guessed}
    if not guessed:
        return formats
    declared = {source: each for source, each in formats.items() if source not in guessed}
    return declared | guessed


def _headed(body: str | None, said: Mapping[str, str], facts: Mapping[str, Facts]) -> str | None:
    """Give Markdown back the heading that was taken for its title, where the title is another."""
    if body is None or said.get("body_md") != "markdown" or said.get("title") == "markdown":
        return body
    text = facts["markdown"]
    titled = facts[said["title"]].title if said.get("title") in facts else None
    if not text.title_guessed or text.title is None or _same_words(text.title, titled):
        return body
    return f"# {text.title}\n\n{body}"


def _same_words(one: str, other: str | None) -> bool:
    return other is not None and one.split() == other.split()


def _listed(moment: datetime | None, now: datetime) -> Stamp | None:
    """Read a records file's time as a stamp: it says no precision, and is always zoned."""
    if moment is None:
        return None
    stamp = Stamp(at=moment, unit="microsecond" if moment.microsecond else "second", offset=0)
    return stamp if plausible(stamp, now) else None


def _stated_by(key: Key, stamps: Mapping[str, Stamp], listed: Stamp | None) -> str | None:
    """Return who states the key's moment in this reading; an old key may come from another."""
    if not key.declared:
        return "records-file" if listed is not None else None
    moment = as_stamp(key)
    return next((each for each in DECLARED_SOURCES if _states(stamps, each, moment)), None)


def _states(stamps: Mapping[str, Stamp], source: str, moment: Stamp) -> bool:
    return source in stamps and same_moment(stamps[source], moment)


def _published(facts: Mapping[str, Facts], hint: Record | None) -> tuple[str, Stamp] | None:
    """Return who says when the article was published, and when; the records file comes last."""
    if (said := _first_stamp(facts, "published_at")) is not None:
        return said
    if hint is None or hint.published_at is None:
        return None
    return "records-file", Stamp(at=hint.published_at, unit="microsecond", offset=0)


def _first_stamp(facts: Mapping[str, Facts], name: str) -> tuple[str, Stamp] | None:
    """Return the first zoned stamp in order of trust, else the first one at all."""
    said = [
        (source, stamp)
        for source, each in trusted(facts).items()
        if (stamp := getattr(each, name)) is not None
    ]
    zoned = [(source, stamp) for source, stamp in said if stamp.offset is not None]
    return next(iter(zoned or said), None)
