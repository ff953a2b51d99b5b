"""prune, forget, compact: what takes something out of a mirror, or puts its segments together."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.commands.failures import UsageError, complain, guarded
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir, SiteName, Slug
from crawler.commands.output import json_line, key_text, moment_text, table
from crawler.commands.read import known_site
from crawler.progress.wording import clean, count, size

if TYPE_CHECKING:
    from storage.index.rows import SnapshotRow
    from storage.upkeep.forget import Forgotten


@guarded
def prune(
    *,
    keep_all: Annotated[
        int, typer.Option("--keep-all", metavar="DAYS", min=0, help="Keep every snapshot so long.")
    ] = 90,
    weekly: Annotated[
        int,
        typer.Option(
            "--weekly", metavar="DAYS", min=0, help="Then one a week, until so old; then a month."
        ),
    ] = 365,
    apply: Annotated[
        bool, typer.Option("--apply", help="Do it; without, it is only told what would go.")
    ] = False,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Let old snapshots go: all of the last days stay, then one a week, then one a month.

    Without --apply nothing is changed. What always stays: an article's newest snapshot, bodies that
    another snapshot refers to, events, and the mirror's first snapshot. Ages go by when a snapshot
    was observed. What is taken out is gone: make a backup first.

    Examples:
      slugline prune --mirror news
      slugline prune --keep-all 30 --weekly 180 --apply
      slugline prune --json | jq -r .url | sort | uniq -c
    """
    from storage.archive import Archive
    from storage.upkeep.prune import Policy, plan
    from storage.upkeep.prune import prune as prune_all

    if site is not None:
        with Archive.open(mirror) as archive:
            known_site(archive, site)
    now = datetime.now(UTC)
    policy = Policy(keep_all=timedelta(days=keep_all), weekly=timedelta(days=weekly))
    if apply:
        done = prune_all(mirror, policy, now, site)
        if as_json:
            json_line(done)
            return
        gone = count(done.snapshots, "snapshot")
        typer.echo(f"{gone} taken out of {count(done.segments, 'segment')}, {size(done.bytes)}")
        return
    told = _Told()
    rows = told.counting(plan(mirror, policy, now, site))
    if as_json:
        for row in rows:
            json_line(row.as_log() | {"bytes": row.length})
    else:
        columns = ("UPDATED", "SITE", "SLUG", "WHY", "OBSERVED", "BYTES")
        table(columns, (_line(row) for row in rows))
    if told.rows:
        complain(f"{count(told.rows, 'snapshot')}, {size(told.bytes)}, would go: --apply does it")
    else:
        complain("no snapshot would go: the policy keeps them all")


class _Told:
    """What was listed so far. State: the counts."""

    def __init__(self) -> None:
        self.rows = 0
        self.bytes = 0

    def counting(self, rows: Iterator[SnapshotRow]) -> Iterator[SnapshotRow]:
        """Give the rows, and count them."""
        for row in rows:
            self.rows += 1
            self.bytes += row.length
            yield row


def _line(row: SnapshotRow) -> tuple[str, ...]:
    observed = moment_text(row.observed_at.replace(microsecond=0))
    key = key_text(row.updated_at, row.revision)
    return key, row.site, clean(row.slug), row.reason, observed, str(row.length)


@guarded
def forget(
    slug: Slug,
    *,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why: it is kept, for all to read.")
    ],
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Take an article out of the mirror for good: a takedown that a court or a person asks for.

    Every edition's bodies, text and titles go, out of segments, index, files/, lost/ and run logs.
    A tombstone with the reason stays, with the slug and the URLs, which no run asks for again. At
    the end it says which exports, backups and other articles must follow. It can't be taken back.
    Told again, it takes out what is left, and the first reason stands.

    Examples:
      slugline forget some-article --reason "court order 12 O 34/26"
      slugline forget https://example.org/news/a-story --reason "asked by the person named"
    """
    from storage.upkeep.forget import forget as forget_all

    if not reason.strip():
        raise UsageError("--reason: say why, in words that may be read by all")
    done = forget_all(mirror, slug, reason=reason, now=datetime.now(UTC), site=site)
    if as_json:
        json_line({**_facts(done, reason), "must_follow": _must_follow(done, str(mirror))})
        return
    gone, earlier = done.trace, done.trace.tombstone
    done_at = moment_text(earlier.observed_at.replace(microsecond=0)) if earlier else ""
    what = f"was forgotten already, on {done_at}" if earlier else "is forgotten"
    typer.echo(f"{gone.site}/{clean(gone.slug)} {what}: {clean(_kept(done, reason))}")
    typer.echo(
        f"Taken out: {count(done.groups, 'record group')} ({size(done.bytes)}) of "
        f"{count(done.segments, 'segment')}, {count(done.files, 'file')} of files/, "
        f"{count(done.lines, 'line')} of run logs, {count(done.lost, 'file')} of lost/."
    )
    typer.echo(f"Never asked for again: {count(len(gone.urls), 'URL')}.")
    typer.echo("What must follow, and is not in this mirror's hands:")
    for sentence in _must_follow(done, str(mirror)):
        typer.echo(f"  {clean(sentence, 1_000)}")


def _kept(done: Forgotten, reason: str) -> str:
    """Return the reason that all may read: an earlier one is not replaced."""
    return done.trace.tombstone.detail.get("reason", "") if done.trace.tombstone else reason


def _facts(done: Forgotten, reason: str) -> dict[str, object]:
    counts = {name: getattr(done, name) for name in ("groups", "segments", "bytes", "files")}
    gone = done.trace
    where = {"site": gone.site, "slug": gone.slug, "urls": list(gone.urls)}
    why = {"reason": _kept(done, reason), "already": gone.tombstone is not None}
    return {**where, **why, **counts, "log_lines": done.lines, "lost": done.lost}


def _must_follow(done: Forgotten, mirror: str) -> list[str]:
    """Say what else may hold the article: nobody keeps a list of what was made of a mirror."""
    gone = done.trace
    since = f" made since {moment_text(gone.first)}" if gone.first else ""
    exports = f"exports{since} that have {gone.site}: jsonl, parquet, feed, warc, wacz, files"
    machines = "folders in which other machines write it are cleaned by their next runs"
    found = [
        f"{exports} ({', '.join(gone.formats) or 'any format'})",
        f"backups and copies of {mirror}{since}, snapshots of its file system ({machines})",
        "mirrors that follow this one, and readers' caches of pages that `slugline serve` showed",
    ]
    found += [
        f"{site}/{slug}, which may have the same text: slugline forget {slug} --site {site}"
        for site, slug in gone.related
    ]
    return [*found, "other articles that quote it: their own pages are kept as they were"]


@guarded
def compact(*, mirror: MirrorDir = DEFAULT_MIRROR, as_json: AsJson = False) -> None:
    """Join a mirror's small segments into large ones; nothing in them changes.

    Examples:
      slugline compact --mirror news
    """
    from storage.upkeep.compact import compact as compact_all

    done = compact_all(mirror, datetime.now(UTC))
    if as_json:
        json_line(done)
        return
    sys.stdout.write(f"{count(done.before, 'segment')} before, {done.after} now\n")
