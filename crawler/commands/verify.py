"""verify: whether all that a mirror holds is as it was stored, and apart from it, what it lacks."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from crawler.commands.failures import DAMAGED, FAILED, WELL, complain, guarded
from crawler.commands.mirror_options import ConfigFile
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir
from crawler.commands.output import json_line, moment_text
from crawler.commands.read import moment
from crawler.progress.wording import clean, count, size

if TYPE_CHECKING:
    from storage.verify.found import Found, Report, Short

#: Days within which every article is to be read again, as in config.toml's verify_within.
_WITHIN = 30
#: Articles that a person is told by name, of each kind; --json names all.
_NAMED = 10
#: Bytes of a mirror past which progress is worth a line in a log.
_LARGE = 64 << 20


@guarded
def verify(
    *,
    mirror: MirrorDir = DEFAULT_MIRROR,
    since: Annotated[
        str | None,
        typer.Option(
            "--since",
            metavar="WHEN",
            help="Name the articles not compared with their site since then; else in 30 days.",
        ),
    ] = None,
    deep: Annotated[
        bool, typer.Option("--deep", help="Decode every body too, and compare its SHA-256.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--repair", help="Mend it: index, segments; what they lost is asked of the site again."
        ),
    ] = False,
    fetch: Annotated[
        bool, typer.Option("--fetch/--no-fetch", help="With --repair: ask the sites, or not.")
    ] = True,
    config: ConfigFile = None,
    processes: Annotated[
        int,
        typer.Option("--processes", metavar="N", min=0, help="Share the work; 0: all processors."),
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Check a mirror: every record and digest, every revisit's target, the index row by row.

    Integrity: whether what was stored is what is there. Damage is told by file, byte and article,
    with what to do, and the exit code is 4. Completeness, apart from it: which articles lack a
    format, and which were not compared with their site lately; that alone is exit code 0.

    --repair makes the index again, keeps damaged bytes under lost/, and asks the site for what they
    held: exit code 0 if all is back, 1 if the site no longer serves some of it.

    Examples:
      slugline verify --mirror news
      slugline verify --since 2026-06-01 --json | jq -r 'select(.kind == "partial") | .url'
      slugline verify --repair --config news.toml
    """
    from storage.verify.whole import Asked
    from storage.verify.whole import verify as verify_all

    if config is not None:
        _check_config(config)
    now = datetime.now(UTC)
    wanted = moment("--since", since, now, start=True) or now - timedelta(days=_WITHIN)
    asked = Asked(since=wanted, deep=deep, processes=processes)
    report = _tell(verify_all(mirror, asked), as_json=as_json, advise=not repair)
    code = WELL if report.sound else DAMAGED
    if repair and not report.sound:
        code = _repair(mirror, now, config if fetch else None, fetch=fetch, as_json=as_json)
        if not _tell(verify_all(mirror, asked), as_json=as_json, advise=False).sound:
            code = DAMAGED
    raise typer.Exit(code)


def _check_config(path: Path) -> None:
    """Say what is wrong with a config file before anything is mended."""
    import os

    from crawler.config.settings import load_config

    load_config(path, os.environ)


def _repair(mirror: Path, now: datetime, config: Path | None, *, fetch: bool, as_json: bool) -> int:
    """Mend a mirror and say how; the code is 1 where something could not be brought back."""
    from crawler.commands import mending
    from storage.upkeep.repair import back
    from storage.upkeep.repair import repair as repair_all

    done = repair_all(mirror, now)
    mending.tell_mended(done, as_json=as_json)
    if fetch and done.owed:
        mending.fetch_again(done, mirror, config)
    again, still = back(mirror, done.editions)
    mending.tell_back(again, still, fetched=fetch, as_json=as_json)
    return FAILED if still or done.unknown or done.left else WELL


def _tell(found: Iterable[Found], *, as_json: bool, advise: bool) -> Report:
    """Say what is found as it is found, and the sum at last, which is returned.

    ``advise``: a person is told what to do, too.
    """
    from storage.verify.found import Passed, Problem, Report

    progress = _Progress()
    short: dict[str, list[Short]] = {"partial": [], "unverified": []}
    advice: dict[str, str] = {}
    for each in found:
        if isinstance(each, Passed):
            progress.tell(each.bytes, each.total)
        elif isinstance(each, Report):
            progress.end()
            if as_json:
                json_line(_facts(each) | {"sound": each.sound})
            else:
                _sum(each, short, _worth(advice) if advise else ())
            return each
        elif as_json:
            json_line(_facts(each) | ({"advice": each.advice} if isinstance(each, Problem) else {}))
        elif isinstance(each, Problem):
            advice[each.kind] = each.advice
            sys.stdout.write(f"{_WORDS[each.kind]}: {clean(each.sentence(), _LINE)}\n")
        elif len(short[each.kind]) < _NAMED:
            short[each.kind].append(each)
    raise AssertionError("verifying ends in a report")


_WORDS = {"segment": "DAMAGE", "index": "INDEX"}
#: Characters of one line about a problem.
_LINE = 1_000


def _worth(advice: dict[str, str]) -> list[str]:
    """Return what to do, by kind: an index is made of sound segments, once they are there."""
    return [text for kind, text in advice.items() if kind == "segment" or "segment" not in advice]


def _facts(value: Found) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(value)
    return facts


def _sum(report: Report, short: dict[str, list[Short]], advice: Iterable[str]) -> None:
    """Tell the sum to a person: integrity, what to do, completeness."""
    held = (
        f"{count(report.snapshots, 'snapshot')}, {count(report.events, 'event')} and "
        f"{count(report.records, 'record')} in {count(report.segments, 'segment')}, "
        f"{size(report.bytes)}"
    )
    if report.sound and not report.snapshots and not report.events:
        typer.echo("Integrity: sound. Nothing is stored here yet.")
    elif report.sound:
        typer.echo(f"Integrity: sound. {held}, each as it was stored.")
    else:
        faults = f"{report.damaged} in segments, {report.index_wrong} in the index"
        typer.echo(f"Integrity: {count(report.damaged + report.index_wrong, 'fault')}: {faults}.")
        typer.echo(f"Looked at {held}.")
    if report.rewriting:
        at = ", ".join(report.rewriting)
        typer.echo(
            f"What to do: a prune, forget, compact or repair was killed at {at}: start it again, "
            "or `slugline sync`, and the index is brought up to it; then verify again."
        )
    else:
        for sentence in advice:
            typer.echo(f"What to do: {sentence}.")
    for name in report.unfinished:
        typer.echo(f"{name} ends in what a killed run left: the next run deals with it.")
    if report.lost:
        held = size(sum(length for _, length in report.lost))
        typer.echo(f"lost/ has {count(len(report.lost), 'file')}, {held}: cut off, and kept.")
    _completeness(report, short)


def _completeness(report: Report, short: dict[str, list[Short]]) -> None:
    since = moment_text(report.since.replace(microsecond=0))
    if not report.snapshots:
        typer.echo("Completeness: there is no article.")
        return
    if not report.partial and not report.unverified:
        typer.echo(f"Completeness: every article is whole, and was verified since {since}.")
        return
    typer.echo(
        f"Completeness: {count(report.partial, 'article')} partial, "
        f"{report.unverified} not verified since {since}."
    )
    for kind, total in (("partial", report.partial), ("unverified", report.unverified)):
        for each in short[kind]:
            typer.echo(f"  {each.kind}: {clean(each.url)}: {clean(each.why)}")
        if total > len(short[kind]):
            typer.echo(f"  and {total - len(short[kind])} more {kind}: --json names them")


class _Progress:
    """How far it has come, on stderr: a line that changes on a terminal, some lines in a log.

    State: the tenth that was last told.
    """

    def __init__(self) -> None:
        self._told = 0
        self._drawn = False

    def tell(self, done: int, total: int) -> None:
        """Say that ``done`` of ``total`` bytes are read."""
        tenth = done * 10 // max(total, 1)
        if sys.stderr.isatty():
            sys.stderr.write(f"\rverified {size(done)} of {size(total)} ")
            sys.stderr.flush()
            self._drawn = True
        elif tenth > self._told and total > _LARGE:
            complain(f"verified {size(done)} of {size(total)}")
        self._told = max(tenth, self._told)

    def end(self) -> None:
        """Leave the line."""
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
