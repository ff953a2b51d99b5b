"""changes: what happened to all the articles of a mirror, in the order in which it was seen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.commands.failures import guarded
from crawler.commands.options import (
    DEFAULT_MIRROR,
    AsJson,
    Canonicals,
    MirrorDir,
    Since,
    SiteName,
)
from crawler.commands.output import json_line, key_text, moment_text, table
from crawler.commands.read import known_site, moment
from crawler.progress.wording import clean

if TYPE_CHECKING:
    from storage.archive import Change


@guarded
def changes(
    *,
    since: Since = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Mere steps too: a first 404, another URL, a slug given."),
    ] = False,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    canonicals: Canonicals = False,
    as_json: AsJson = False,
) -> None:
    """Show what changed, newest last: new articles, edits, silent ones, what is gone or moved.

    Each change stands there once, at the moment it was observed.

    Examples:
      slugline changes --since 2026-06-19
      slugline changes --site example.org | tail
      slugline changes --json | jq -r 'select(.reason == "silent-edit") | .url'
    """
    from storage.archive import Archive, Asked

    asked_since = moment("--since", since, datetime.now(UTC), start=True)
    with Archive.open(mirror) as archive:
        found = archive.changes(
            Asked(
                since=asked_since,
                site=known_site(archive, site),
                canonicals=canonicals,
                everything=everything,
            )
        )
        if as_json:
            for change in found:
                json_line(change.as_log())
            return
        columns = ("OBSERVED", "WHAT", "SITE", "SLUG", "TITLE", "DETAIL")
        table(columns, (_told(change) for change in found))


def _told(change: Change) -> tuple[str, ...]:
    row = change.row
    observed = moment_text(row.observed_at.replace(microsecond=0))
    return observed, change.what, row.site, clean(row.slug), change.title or "", _detail(change)


def _detail(change: Change) -> str:
    """Say what stands behind a change: a snapshot's key and findings, or an event's own words."""
    from storage.archive import SnapshotRow

    row = change.row
    if not isinstance(row, SnapshotRow):
        told = ((name, value) for name, value in row.detail.items() if value != row.url)
        return ", ".join(f"{name} {value}" for name, value in told)
    key = key_text(row.updated_at, row.revision)
    short = [f"partial: no {' '.join(row.missing)}"] if row.missing else []
    return ", ".join([key, *short, *(finding.kind for finding in row.findings)])
