"""Readings of one made-up article: what its formats say, and what an archive keeps of that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from hypothesis import strategies as st
from msgspec import structs

from crawler.article.assemble import Assembly, Inferred, assemble
from crawler.article.judge import Formats, Judgement, judge
from crawler.facts import Facts
from storage.model import ContentDigest, Key, Manifest, Record, Representation, Stamp
from storage.times import parse_declared

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
URL = "https://news.example/2026/bridge"
T0 = "2026-06-18T20:00:00.000001Z"
T1 = "2026-06-19T09:13:50.166750+00:00"
T2 = "2026-06-19T15:30:00.250000+00:00"
A = "The old bridge is closed.\n"
B = "The old bridge is open again.\n"

SourceName = Literal["html", "markdown", "text", "jsonld", "json", "record", "other"]
SOURCES: tuple[SourceName, ...] = get_args(SourceName)


def stamp(text: str) -> Stamp:
    found = parse_declared(text)
    assert found is not None, text
    return found


def says(
    source: SourceName, updated: str | None = None, body: str | None = A, **changes: Any
) -> Facts:
    """Return what one format says; the HTML's words are its extracted main text."""
    facts = Facts(
        source=source,
        extractor=f"{source}/1",
        title="The bridge",
        body=None if source == "html" else body,
        words=body if source == "html" else None,
        updated_at=stamp(updated) if updated else None,
    )
    return structs.replace(facts, **changes)


def look(
    *facts: Facts,
    known: Key | None = None,
    hint: Record | None = None,
    observed: datetime = NOW,
    sitemap: str | None = None,
    last_modified: str | None = None,
) -> Assembly:
    """Assemble one reading of the article."""
    return assemble(
        {each.source: each for each in facts},
        slug="bridge",
        url=URL,
        alternates={each.source: f"{URL}.{each.source}" for each in facts},
        inferred=Inferred(
            sitemap=stamp(sitemap) if sitemap else None,
            last_modified=stamp(last_modified) if last_modified else None,
            observed=observed,
        ),
        hint=hint,
        known=known,
    )


def shown(name: str) -> Representation:
    """Return a format's representation as a snapshot describes it."""
    return Representation(
        format=name,
        url=f"{URL}.{name}",
        final_url=f"{URL}.{name}",
        status=200,
        media_type="text/plain",
        digest="",
        length=0,
        fetched_at=NOW,
    )


def kept(assembly: Assembly, *missing: str, key: Key | None = None) -> Manifest:
    """Return the snapshot that ``assembly`` became; the formats ``missing`` could not be had."""
    return Manifest(
        site="news.example",
        scope="https://news.example/",
        slug="bridge",
        url=URL,
        observed_at=NOW,
        run="a-run",
        key=key or assembly.key,
        reason="first",
        state="partial" if missing else "complete",
        missing=dict.fromkeys(missing, "the server answered 500"),
        record=assembly.record,
        content=assembly.content,
        stamps=assembly.stamps,
        representations=tuple(shown(name) for name in assembly.record.alternates),
    )


def first(*facts: Facts, missing: Iterable[str] = (), **hints: Any) -> Manifest:
    """Return the snapshot of a first reading."""
    return kept(look(*facts, **hints), *missing)


def beside(
    newest: Manifest | None,
    *facts: Facts,
    undeclared: Iterable[str] = (),
    earlier: Iterable[Mapping[str, ContentDigest]] = (),
    **hints: Any,
) -> Judgement:
    """Judge a reading beside ``newest`` as a run does; the formats here are those of ``facts``."""
    assembly = look(*facts, known=newest.key if newest else None, **hints)
    present = frozenset(each.source for each in facts)
    return judge(
        newest, assembly, Formats(present=present, undeclared=frozenset(undeclared)), earlier
    )


def then(newest: Manifest, *facts: Facts, missing: Iterable[str] = (), **hints: Any) -> Manifest:
    """Return the newest snapshot after a further reading: a new one, or ``newest`` as it is."""
    judgement = beside(newest, *facts, **hints)
    if judgement.reason is None:
        return newest
    return kept(look(*facts, known=newest.key, **hints), *missing, key=judgement.key)


#: Times as publishers write them: many precisions and zones, few moments, so that they often meet;
#: some are implausible.
MOMENTS = st.one_of(
    st.sampled_from(
        [
            T0,
            T1,
            T2,
            "2026-06-19T11:13:50.166750+02:00",
            "2026-06-19T09:13:50",
            "2026-06-19T11:13+02:00",
            "2026-06-19T09:13:50.166Z",
            "2026-06-19T09:13:51Z",
            "2026-06-19",
            "2026-06-19+02:00",
            "2026-06-20Z",
            "2026-06",
            "2026",
            "1970-01-01T00:00:00Z",
            "2062-01-01T00:00:00Z",
        ]
    ),
    st.datetimes(datetime(2026, 6, 18), datetime(2026, 6, 21)).map(
        lambda moment: f"{moment.isoformat()}Z"
    ),
)
WORDS = st.sampled_from([None, "", A, B])


@st.composite
def fact_sets(draw: st.DrawFn) -> tuple[Facts, ...]:
    """Draw what up to all sources say of an article, agreeing or not."""
    sources = draw(st.lists(st.sampled_from(SOURCES), unique=True, max_size=len(SOURCES)))
    found = []
    for source in sources:
        published = draw(st.none() | MOMENTS)
        found.append(
            says(
                source,
                draw(st.none() | MOMENTS),
                draw(WORDS),
                title=draw(st.sampled_from([None, "The bridge", "A bridge"])),
                summary=draw(st.sampled_from([None, "It is closed."])),
                published_at=stamp(published) if published else None,
            )
        )
    return tuple(found)
