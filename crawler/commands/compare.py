"""diff: what changed between two snapshots of an article, in one format."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from crawler.commands.failures import UsageError, complain, guarded, wrong_input
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir, SiteName, Slug
from crawler.commands.output import CELL, json_line
from crawler.progress.wording import clean

if TYPE_CHECKING:
    from storage.archive import Archive, SnapshotRow
    from storage.diff import Diff, Side
    from storage.model import Manifest

_COLOURS = {"+": typer.colors.GREEN, "-": typer.colors.RED, "@": typer.colors.CYAN}


@guarded
def diff(
    slug: Slug,
    start: Annotated[
        str | None,
        typer.Argument(metavar="FROM", help="UPDATED_AT[.rN], a moment, or a sequence number."),
    ] = None,
    end: Annotated[str | None, typer.Argument(metavar="TO", help="The same.")] = None,
    *,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format", metavar="F", help="Compare this. [default: the most readable that changed]"
        ),
    ] = None,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Show what changed between two snapshots of an article: the newest two, or FROM and TO.

    Examples:
      slugline diff some-article
      slugline diff some-article 2026-06-19T09:13:50Z.r0 2026-06-19T09:13:50Z.r1
      slugline diff some-article 1 3 --format html
    """
    from storage.archive import Archive

    with Archive.open(mirror) as archive:
        where = archive.find(slug, site)
        pair = _pair(archive, where, start, end)
        if pair is None:
            complain(f"{where[1]} has one snapshot so far: there is nothing to compare")
            return
        old, new = (archive.manifest(row, text=False) for row in pair)
        name = format_ or _changed_format(old, new)
        found = _compared(archive, old, new, name)
    if as_json:
        json_line(_as_json(pair, name, found))
    elif found.kind == "same":
        complain(f"{name} is the same, byte for byte, in both snapshots")
    else:
        _print(found.lines)


def _pair(
    archive: Archive, where: tuple[str, str], start: str | None, end: str | None
) -> tuple[SnapshotRow, SnapshotRow] | None:
    """Return the two snapshots to compare, older first; None where there is only one."""
    from storage.times import WhenError

    now = datetime.now(UTC)
    with wrong_input(WhenError):
        first = archive.select(*where, start, now) if start is not None else None
        last = archive.select(*where, end, now) if end is not None else None
    history = archive.history(*where)
    if first is not None:
        return first, last or history[-1]
    return (history[-2], history[-1]) if len(history) > 1 else None


def _changed_format(old: Manifest, new: Manifest) -> str:
    """Choose the most readable format that both have and that differs, else the most readable."""
    from storage.diff import READABLE, readable_format

    before = {one.format: one.digest for one in old.representations}
    after = {one.format: one.digest for one in new.representations}
    changed = [name for name in (*READABLE, *before) if before.get(name) != after.get(name)]
    name = next((name for name in changed if name in before and name in after), None)
    name = name or readable_format(old, new)
    if name is None:
        raise UsageError(f"{old.slug}: the two snapshots have no format in common")
    return name


def _compared(archive: Archive, old: Manifest, new: Manifest, name: str) -> Diff:
    from storage.diff import compare

    return compare(_side(archive, old, name), _side(archive, new, name))


def _side(archive: Archive, manifest: Manifest, name: str) -> Side:
    from storage.diff import Side, side_name

    body = archive.body(manifest, name)
    types = (value for field, value in body.headers if field.lower() == "content-type")
    return Side(name=side_name(manifest, name), body=body.decoded, content_type=next(types, ""))


def _as_json(pair: tuple[SnapshotRow, SnapshotRow], name: str, found: Diff) -> dict[str, object]:
    old, new = (
        {"updated_at": row.updated_at, "revision": row.revision, "sequence": row.sequence}
        for row in pair
    )
    site, slug = pair[0].site, pair[0].slug
    return {
        "site": site, "slug": slug, "format": name, "from": old, "to": new,
        "kind": found.kind, "lines": found.lines,
    }  # fmt: skip


def _print(lines: Iterable[str]) -> None:
    """Write the lines; coloured and free of control characters on a terminal, else as they are."""
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    for line in lines:
        typer.secho(
            clean(line, CELL), fg=_COLOURS.get(line[:1]), bold=line[:3] in {"+++", "---"} or None
        )
