"""status: how a mirror is: each site's numbers, how fresh it is, and what fails with why."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from msgspec import Struct

from crawler.commands.failures import guarded
from crawler.commands.options import DEFAULT_MIRROR, AsJson, MirrorDir, SiteName
from crawler.commands.output import json_line, moment_text, table
from crawler.commands.read import known_site
from crawler.progress.wording import clean, count, duration, size

if TYPE_CHECKING:
    from storage.archive import Archive, RunRow, SiteStatus

#: What folds on a narrow terminal, and the characters that stay: a host, a day.
_FOLDED = {"SITE": 12, "SEEN": 10}
#: Kinds of trouble that are told of one site; `--failed` lists every case.
_MOST_KINDS = 5


class Failing(Struct, frozen=True, kw_only=True):
    """Something that could not be had, or not whole, when it was last asked for, and why.

    ``kind``: ``failed`` (an article or page), ``partial`` (an article without a format it should
    have) or ``run`` (a list or a site, in the newest run); ``attempts`` 0: not counted.
    """

    kind: str
    site: str
    url: str
    slug: str
    why: str
    attempts: int
    checked_at: datetime


class Trouble(Struct, frozen=True, kw_only=True):
    """Failures of one host for one reason."""

    host: str
    why: str
    count: int


@guarded
def status(
    *,
    failed: Annotated[
        bool, typer.Option("--failed", help="List what fails or is short, with why.")
    ] = False,
    mirror: MirrorDir = DEFAULT_MIRROR,
    site: SiteName = None,
    as_json: AsJson = False,
) -> None:
    """Show each site of a mirror: how much is here, how fresh it is, what is short or fails.

    A good run went over the whole site. Verified is an article whose formats were all asked for
    again, whatever any date said: that is what finds a silent edit.

    Examples:
      slugline status
      slugline status --failed
      slugline status --mirror news --json
    """
    from storage.archive import Archive

    with Archive.open(mirror) as archive:
        wanted = known_site(archive, site)
        failing = sorted(_failing(archive, wanted), key=lambda each: (each.site, each.url))
        if failed:
            _list_failing(failing, as_json=as_json)
            return
        sites = archive.status(wanted)
        if as_json:
            for one in sites:
                json_line(_line(archive, one, failing))
            return
        columns = ("SITE", "ARTICLES", "SNAPSHOTS", "PARTIAL", "GONE", "FAILED", "SIZE", "SEEN")
        table(columns, [_site_row(one) for one in sites], folded=_FOLDED)
        _show_last_run(next(iter(archive.runs()), None))
        now = datetime.now(UTC)
        for one in sites:
            for sentence in _sentences(archive, one, failing, now):
                sys.stdout.write(f"{clean(one.site)}: {sentence}\n")


def _failing(archive: Archive, site: str | None) -> Iterator[Failing]:
    """Give all that fails: entries, partial articles, and what else the newest run could not do."""
    said = set()
    for entry in archive.failing(site):
        said.add(entry.url)
        yield Failing(
            kind="failed", site=entry.site, url=entry.url, slug=entry.slug, why=entry.why,
            attempts=entry.attempts, checked_at=entry.checked_at,
        )  # fmt: skip
    for row in archive.newest_all(site):
        if row.state == "partial" and row.gone_at is None:
            said.add(row.url)
            why = "; ".join(f"no {name}: {reason}" for name, reason in row.missing.items())
            yield Failing(
                kind="partial", site=row.site, url=row.url, slug=row.slug, why=why,
                attempts=0, checked_at=row.observed_at,
            )  # fmt: skip
    run = next((each for each in archive.runs() if each.summary), None)
    if run is not None:
        yield from _of_run(archive, run, site, said)


def _of_run(
    archive: Archive, run: RunRow, site: str | None, said: Iterable[str]
) -> Iterator[Failing]:
    scopes = {one.scope: one.name for one in archive.sites()}
    ended = run.finished_at or run.started_at
    # That it was left alone is what was wanted.
    told = {url for name in scopes.values() for url in archive.forgotten(name)}.union(said)
    for error in run.summary.get("errors", ()):
        url, why = str(error["url"]), str(error["reason"])
        name = _site_of(url, scopes)
        if url not in told and site in {None, name}:
            yield Failing(
                kind="run", site=name, url=url, slug="", why=why, attempts=0, checked_at=ended
            )


def _site_of(url: str, scopes: Mapping[str, str]) -> str:
    """Name the site that ``url`` is of: the longest scope above it, else one of its host's."""
    from crawler.urls import host_key, in_scope

    above = [scope for scope in scopes if in_scope(url, scope)]
    beside = [scope for scope in scopes if host_key(scope) == host_key(url)]
    scope = max(above or beside, key=len, default=None)
    return urlsplit(url).netloc if scope is None else scopes[scope]


def _list_failing(failing: Iterable[Failing], *, as_json: bool) -> None:
    if as_json:
        for each in failing:
            json_line(each)
        return
    columns = ("SITE", "KIND", "URL", "TRIES", "ASKED", "WHY")
    table(columns, (_failing_row(each) for each in failing))


def _failing_row(one: Failing) -> tuple[str, ...]:
    asked = moment_text(one.checked_at.replace(microsecond=0))
    return one.site, one.kind, one.url, str(one.attempts or ""), asked, one.why


def _line(archive: Archive, one: SiteStatus, failing: Iterable[Failing]) -> dict[str, object]:
    import msgspec

    return {
        **msgspec.structs.asdict(one),
        "good_at": _good_at(archive, one.site),
        "troubles": _troubles(failing, one.site),
    }


def _good_at(archive: Archive, site: str) -> datetime | None:
    """Return when a run last went over the whole site, as far as is remembered."""
    from crawler.site.ledger import KEY, last_run

    text = archive.remembered(site, KEY)
    return None if text is None else last_run(text).good_at


def _troubles(failing: Iterable[Failing], site: str) -> list[Trouble]:
    """Count a site's failures by host and reason, the commonest first."""
    kinds = Counter((urlsplit(one.url).netloc, one.why) for one in failing if one.site == site)
    return [
        Trouble(host=host, why=why, count=number)
        for (host, why), number in sorted(kinds.items(), key=lambda each: (-each[1], each[0]))
    ]


def _sentences(
    archive: Archive, one: SiteStatus, failing: Iterable[Failing], now: datetime
) -> Iterator[str]:
    good = _good_at(archive, one.site)
    if good is not None:
        yield f"last good run {_ago(good, now)}"
    elif not one.implicit:
        yield "no good run yet: none that is remembered went over the whole site"
    if one.verified_at is not None:
        yield f"every verified article was verified {_ago(one.verified_at, now)} or later"
    if one.unverified:
        yield f"{count(one.unverified, 'article')} never verified"
    troubles = _troubles(failing, one.site)
    for each in troubles[:_MOST_KINDS]:
        yield f"{clean(each.host)} fails {count(each.count, 'time')}: {clean(each.why)}"
    if len(troubles) > _MOST_KINDS:
        yield f"{count(len(troubles) - _MOST_KINDS, 'more kind')} of failure: see --failed"


def _ago(moment: datetime, now: datetime) -> str:
    passed = (now - moment).total_seconds()
    return f"{moment_text(moment.replace(microsecond=0))} ({duration(passed)} ago)"


def _site_row(one: SiteStatus) -> tuple[str, ...]:
    counts = (one.articles, one.snapshots, one.partial, one.gone, one.failed)
    newest = one.newest_observed_at
    seen = moment_text(newest.replace(microsecond=0)) if newest else "never"
    return one.site, *(f"{number:,}" for number in counts), size(one.bytes), seen


def _show_last_run(run: RunRow | None) -> None:
    if run is None:
        return
    began = moment_text(run.started_at.replace(microsecond=0))
    if run.finished:
        ended = moment_text((run.finished_at or run.started_at).replace(microsecond=0))
        sys.stdout.write(f"last run: {began} to {ended}\n")
        return
    sys.stdout.write(f"last run: began {began}, not finished: it runs, or the next continues it\n")
