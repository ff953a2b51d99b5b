"""list, log, show: what an archive holds, through ``storage.archive.Archive`` alone."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crawler.commands.failures import UsageError, guarded, wrong_input
from crawler.commands.options import (
    DEFAULT_MIRROR,
    AsJson,
    Canonicals,
    MirrorDir,
    SiteName,
    Slug,
    When,
)
from crawler.commands.output import json_line, key_text, moment_text, table
from crawler.progress.wording import clean, inert

if TYPE_CHECKING:
    from storage.archive import Archive, EventRow, SnapshotRow
    from storage.model import Manifest

#: The format that stands for an article when a canonical's own was not named: people's first.
_READING_ORDER = ("html", "markdown", "text", "jsonld", "json")


@guarded
def list_articles(
    *,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    canonicals: Canonicals = False,
    as_json: AsJson = False,
) -> None:
    """List the articles of a mirror, each with its newest snapshot.

    Examples:
      slugline list
      slugline list --mirror news --site example.org
      slugline list --json | jq -r 'select(.state == "partial") | .slug'
    """
    from storage.archive import Archive

    with Archive.open(mirror) as archive:
        rows = archive.newest_all(known_site(archive, site), canonicals=canonicals)
        if as_json:
            for row in rows:
                json_line(row.as_log())
            return
        table(("UPDATED", "SLUG", "FORMATS", "STATE", "TITLE"), (_listed(row) for row in rows))


@guarded
def log(
    slug: Annotated[
        str | None,
        typer.Argument(metavar="SLUG", help="The article's slug or URL; none: all articles."),
    ] = None,
    *,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Show an article's history, oldest first: every snapshot, why it was kept, what is odd.

    WHY is: first; edit (with a new update time); silent-edit (other words under the old time);
    same-day (a day alone is stated); undated (no update time goes with it); reverted (to
    earlier words); completed, format-added, format-removed.

    Examples:
      slugline log alibaba-cloud-opens-first-data-centres
      slugline log https://example.org/news/a-story --json
      slugline log --json > every-snapshot.jsonl
    """
    from storage.archive import Archive

    with Archive.open(mirror) as archive:
        if slug is None:
            _log_all(archive, known_site(archive, site), as_json=as_json)
            return
        where = archive.find(slug, site)
        history = archive.history(*where)
        if as_json:
            for row in history:
                json_line(row.as_log())
            return
        told = [(row.sequence, _told(row)) for row in history]
        told += [(event.sequence, _told_event(event)) for event in archive.events(*where)]
        columns = ("UPDATED", "WHY", "OBSERVED", "FORMATS", "FINDINGS")
        table(columns, [row for _, row in sorted(told)])


def _log_all(archive: Archive, site: str | None, *, as_json: bool) -> None:
    """Show every article's snapshots, by slug, each history oldest first."""
    rows = archive.all_history(site)
    if as_json:
        for row in rows:
            json_line(row.as_log())
        return
    columns = ("SLUG", "UPDATED", "WHY", "OBSERVED", "FORMATS", "FINDINGS")
    table(columns, ((clean(row.slug), *_told(row)) for row in rows))


@guarded
def show(
    slug: Slug,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="These exact bytes: html, markdown, text, jsonld, json …, canonical.",
        ),
    ] = None,
    at: When = None,
    by: Annotated[
        Literal["observed", "updated"],
        typer.Option("--by", help="Whose clock WHEN is read by: ours, or the publisher's."),
    ] = "observed",
    revision: Annotated[
        int | None,
        typer.Option("--revision", metavar="N", min=0, help="The N-th snapshot under its key."),
    ] = None,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Show an article: its record, or one format's bytes exactly as they were published.

    Examples:
      slugline show some-article
      slugline show some-article --format markdown
      slugline show some-article --format html --at 2026-06-19 > then.html
      slugline show some-article --revision 1
    """
    from storage.archive import Archive

    when = moment("--at", at, datetime.now(UTC))
    with Archive.open(mirror) as archive:
        where = archive.find(slug, site)
        row = archive.pick(*where, at=when, by=by, revision=revision)
        manifest = archive.manifest(row, text=format_ is None)
        if format_ is None:
            _show_record(manifest, as_json=as_json)
            return
        if format_ == "canonical":
            manifest = _canonical(archive, manifest, when)
            format_ = _readable_format(manifest)
        sys.stdout.buffer.write(archive.body(manifest, format_).decoded)


def moment(flag: str, text: str | None, now: datetime, *, start: bool = False) -> datetime | None:
    """Read a WHEN; raises UsageError that names ``flag`` and what is allowed.

    A date is its whole day: its end, or with ``start`` its beginning.
    """
    from storage.times import WhenError, parse_when

    with wrong_input(WhenError, prefix=f"{flag}: "):
        return None if text is None else parse_when(text, now, start=start)


def known_site(archive: Archive, site: str | None) -> str | None:
    """Return ``site`` if the archive has it; else the user is told which it has."""
    if site is None:
        return None
    names = [one.name for one in archive.sites()]
    if site not in names:
        raise UsageError(f"--site {site}: this mirror has {', '.join(names) or 'no site yet'}")
    return site


def _listed(row: SnapshotRow) -> tuple[str, ...]:
    state = "gone" if row.gone_at else row.state
    key = key_text(row.updated_at, row.revision).removesuffix(".r0")
    return key, row.slug, " ".join(row.formats), state, row.title or ""


def _told(row: SnapshotRow) -> tuple[str, ...]:
    findings = [finding.kind for finding in row.findings]
    short = [f"partial: no {' '.join(row.missing)}"] if row.missing else []
    return (
        key_text(row.updated_at, row.revision),
        row.reason,
        moment_text(row.observed_at.replace(microsecond=0)),
        " ".join(row.formats),
        ", ".join(short + findings),
    )


def _told_event(event: EventRow) -> tuple[str, ...]:
    detail = ", ".join(f"{name} {value}" for name, value in event.detail.items())
    observed = moment_text(event.observed_at.replace(microsecond=0))
    return "", event.event, observed, "", detail


def _show_record(manifest: Manifest, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        json_line(manifest.record)
        return
    text = msgspec.json.format(msgspec.json.encode(manifest.record), indent=2)
    sys.stdout.buffer.write(inert(text.decode()).encode() + b"\n")


def _canonical(archive: Archive, manifest: Manifest, at: datetime | None) -> Manifest:
    """Follow an article's edge to its original on another host, as captured."""
    source = manifest.record.canonical_source if manifest.record else None
    if not source:
        raise UsageError(f"{manifest.slug} names no original on another host")
    where = archive.resolve(source)
    if not where:
        raise UsageError(f"the original of {manifest.slug} is not in this mirror: {clean(source)}")
    return archive.manifest(archive.pick(*where[0], at=at), text=False)


def _readable_format(manifest: Manifest) -> str:
    names = [one.format for one in manifest.representations]
    ordered = [name for name in _READING_ORDER if name in names] + names
    if not ordered:
        raise UsageError(f"the original at {manifest.url} was captured without a body")
    return ordered[0]
