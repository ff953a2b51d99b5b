"""search: articles found by words of their newest snapshots, the best first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.commands.failures import UsageError, complain, guarded
from crawler.commands.options import (
    DEFAULT_MIRROR,
    AsJson,
    Canonicals,
    Lang,
    MirrorDir,
    Since,
    SiteName,
    Topic,
)
from crawler.commands.output import json_line, key_text, table
from crawler.commands.read import known_site, moment
from crawler.progress.wording import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.archive import Archive, SnapshotRow
    from storage.search.fulltext import Hit, Question

Words = Annotated[
    list[str],
    typer.Argument(
        metavar="WORDS",
        help="Words that all must be there; quoted: 'begin*', '\"a phrase\"', 'one -without'.",
    ),
]
Entity = Annotated[
    str | None, typer.Option("--entity", metavar="NAME", help="Only naming this entity.")
]
FindingKind = Annotated[
    str | None,
    typer.Option("--finding", metavar="KIND", help="Only with this finding, as date-only."),
]
Limit = Annotated[
    int, typer.Option("--limit", metavar="N", min=1, max=1000, help="At most so many.")
]


@guarded
def search(
    words: Words,
    *,
    lang: Lang = None,
    topic: Topic = None,
    entity: Entity = None,
    finding: FindingKind = None,
    since: Since = None,
    limit: Limit = 20,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    canonicals: Canonicals = False,
    as_json: AsJson = False,
) -> None:
    """Find articles by words in their title, summary, text, topics and entities, the best first.

    It looks at each article's newest snapshot; accents and case do not count. The first search
    reads the whole mirror into fulltext.sqlite, later ones only what is new.

    Examples:
      slugline search cloud outage
      slugline search '"data centre"' 'sydney*' --since 2026-06-01
      slugline search --site example.org --topic energy 'solar -wind'
      slugline search budget --json | jq -r .url
    """
    from storage.archive import Archive
    from storage.search import opening as fulltext_opening
    from storage.search.fulltext import Question

    asked_since = moment("--since", since, datetime.now(UTC), start=True)
    with Archive.open(mirror) as archive:
        asked = Question(
            words=" ".join(words),
            site=known_site(archive, site),
            language=lang,
            topic=topic,
            entity=entity,
            finding=finding,
            since=asked_since,
            canonicals=canonicals,
            most=limit,
        )
        if asked.empty:
            raise UsageError(f"{asked.words!r} holds no word to look for")
        found = _rows(archive, fulltext_opening.search(archive, asked, complain))
        narrowed = {
            "--lang": lang, "--topic": topic, "--entity": entity, "--finding": finding,
            "--since": since, "--site": site,
        }  # fmt: skip
        given = [f"{option} {clean(value)}" for option, value in narrowed.items() if value]
        nothing = "" if found or as_json else _nothing(archive, asked, given)
    if as_json:
        for row, hit in found:
            json_line(row.as_log() | _as_log(hit))
        return
    if nothing:
        complain(nothing)
        return
    table(("SLUG", "TITLE", "UPDATED", "TEXT"), (_told(row, hit) for row, hit in found))


def _nothing(archive: Archive, asked: Question, given: Sequence[str]) -> str:
    """Say why nothing was found: no article has the words, or the options ``given`` left it out."""
    from storage.search import opening as fulltext_opening
    from storage.search.fulltext import Question

    wide = Question(words=asked.words, canonicals=asked.canonicals)
    if given and _rows(archive, fulltext_opening.search(archive, wide)):
        return f"what has all of {clean(asked.words)} was left out by {', '.join(given)}"
    return f"no article has all of {clean(asked.words)}"


def _rows(archive: Archive, hits: Sequence[Hit]) -> list[tuple[SnapshotRow, Hit]]:
    """Put each hit to its article's newest snapshot; one that is there no more is left out."""
    from storage.index.versions import newest_of

    names = [(hit.site, hit.slug) for hit in hits]
    rows = {(row.site, row.slug): row for row in newest_of(archive.index, names, private=False)}
    return [(rows[name], hit) for name, hit in zip(names, hits, strict=True) if name in rows]


def _told(row: SnapshotRow, hit: Hit) -> tuple[str, ...]:
    key = key_text(row.updated_at, row.revision).removesuffix(".r0")
    return clean(row.slug), row.title or "", key, "".join(text for text, _ in hit.snippet)


def _as_log(hit: Hit) -> dict[str, object]:
    """Return what a search adds to a line of ``list --json``.

    ``found`` has where in the snippet the words stand: first character and the one after the last.
    """
    spans = []
    at = 0
    for text, marked in hit.snippet:
        if marked:
            spans.append([at, at + len(text)])
        at += len(text)
    return {"snippet": "".join(text for text, _ in hit.snippet), "found": spans}
