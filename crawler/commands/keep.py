"""export and reindex: what takes an archive out of itself, and what makes its index again."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crawler.commands.failures import UsageError, complain, guarded
from crawler.commands.options import (
    DEFAULT_MIRROR,
    AsJson,
    Canonicals,
    MirrorDir,
    Since,
    SiteName,
    When,
)
from crawler.commands.output import json_line
from crawler.commands.read import known_site, moment
from crawler.replacing import replacing
from crawler.wording import count, size

if TYPE_CHECKING:
    from storage.archive import Archive

_STDOUT = Path("-")
Nouns = tuple[str, str]


@guarded
def export(
    kind: Annotated[
        Literal["jsonl", "files", "feed"],
        typer.Argument(
            metavar="KIND",
            help="jsonl: records, one a line. files: every format. feed: what changed, as Atom.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(metavar="OUT", help="File or folder to write; - is stdout."),
    ] = None,
    *,
    at: When = None,
    since: Since = None,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    canonicals: Canonicals = False,
) -> None:
    """Take articles out of a mirror: their records, their bytes as files, or what changed.

    `export files` without OUT brings the mirror's own files/ up to date. `export feed` holds the
    newest 200 changes, or all of them from --since on.

    Examples:
      slugline export jsonl articles.jsonl
      slugline export jsonl - --at 2026-06-19 | jq .title
      slugline export files ./site --mirror news
      slugline export feed /var/www/changes.atom --site example.org
    """
    from storage.archive import Archive

    now = datetime.now(UTC)
    with Archive.open(mirror) as archive:
        _keep_out(out, archive.root, kind)
        chosen = Chosen(
            site=known_site(archive, site),
            at=moment("--at", at, now),
            since=moment("--since", since, now, start=True),
            canonicals=canonicals,
        )
        if kind == "files":
            _files(archive, out or archive.root / "files", now, chosen)
        elif out is None:
            raise UsageError(f"export {kind}: name the file to write, or - for stdout")
        elif kind == "feed":
            from storage.export.feed import export_feed

            _one_file(archive, out, chosen, export_feed, ("change", "changes"))
        else:
            from storage.export.jsonl import export_jsonl

            _one_file(archive, out, chosen, export_jsonl, ("record", "records"))


@guarded
def reindex(*, mirror: MirrorDir = DEFAULT_MIRROR, as_json: AsJson = False) -> None:
    """Make a mirror's index again from its segments, after it was lost or damaged.

    Examples:
      rm news/index.sqlite* && slugline reindex --mirror news
    """
    from storage.reindex import reindex as make_again

    report = make_again(mirror, datetime.now(UTC))
    if as_json:
        json_line(report)
        return
    for sentence in report.sentences():
        typer.echo(sentence)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Which snapshots an export takes: by site and by moments of observation."""

    site: str | None
    at: datetime | None
    since: datetime | None
    canonicals: bool


def _keep_out(out: Path | None, root: Path, kind: str) -> None:
    """Refuse an OUT whose writing would replace the mirror's own files."""
    if out is None or out == _STDOUT:
        return
    inside = out.resolve().is_relative_to(root.resolve())
    if inside and not (kind == "files" and out.resolve() == root.resolve() / "files"):
        raise UsageError(f"{out} lies in the mirror {root} itself: name a place outside of it")


def _one_file(
    archive: Archive, out: Path, chosen: Chosen, export_to: Callable[..., int], nouns: Nouns
) -> None:
    if out == _STDOUT:
        export_to(archive, sys.stdout.buffer, **asdict(chosen))
        return
    try:
        with replacing(out) as stream:
            written = export_to(archive, stream, **asdict(chosen))
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from error
    complain(f"{count(written, *nouns)} in {out}")


def _files(archive: Archive, out: Path, now: datetime, chosen: Chosen) -> None:
    from storage.export.files import export_files

    if out == _STDOUT:
        raise UsageError("export files writes a folder: name one, or leave it out")
    done = export_files(archive, out, now, **asdict(chosen))
    complain(f"{count(done.files, 'file')}, {size(done.bytes)}, in {out}")
