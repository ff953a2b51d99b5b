"""A site's page: its articles, narrowed down or searched, and its numbers day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

from markupsafe import Markup

from storage.archive import SnapshotRow
from storage.index import versions
from storage.index.rows import to_micros
from storage.web import charts, finding, paths, templating
from storage.web.answer import Answer
from storage.web.catalogue import Wanted
from storage.web.lists import MOST_FOUND, MOST_LISTED, known_site
from storage.web.reading import ThreadArchive
from storage.web.request import Request, wrong

#: By what a list is narrowed down: a parameter's name is the kind's.
FILTERS = ("language", "topic", "entity", "finding", "state")
#: Values offered of each kind, commonest first; any other may be typed.
_OFFERED = {"language": 40, "topic": 100, "entity": 100, "finding": 40, "state": 2}
#: Days of the plots: a quarter shows the week's rhythm, and what broke it.
DAYS = 91
_PLOTS = (
    ("articles", "Articles", "by the date that each stated when it was first seen"),
    ("edits", "Edits", "announced or not, by the day they were seen"),
    ("silent", "Silent edits", "other words under an unchanged date"),
    ("failures", "Failures", "addresses that fail, by the day they were last tried"),
    ("partial", "Incomplete snapshots", "a declared format could not be had"),
    ("bytes", "Bytes stored", "compressed"),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def page(reading: ThreadArchive, request: Request) -> Answer:
    """Show one site: ``q`` searches it, FILTERS, ``from`` and ``to`` narrow it down.

    The whole site's page is made once for all who come before the next change.
    """
    site = known_site(reading, request)
    if request.query:
        return _page(reading, request, site)
    body = reading.part("site", site, made=lambda: _page(reading, request, site).body)
    return Answer(body=body)


def _page(reading: ThreadArchive, request: Request, site: str) -> Answer:
    scope = next(one.scope for one in reading.archive.sites() if one.name == site)
    given = {kind: request.text(kind) for kind in FILTERS}
    if given["state"] not in {"", "here", "gone"}:
        raise wrong("state is here or gone.")
    dates = {name: request.text(name) for name in ("from", "to")}
    rows, found, older = _articles(reading, request, site, given)
    return templating.page(
        "site.html",
        site=site,
        scope=scope,
        words=request.text("q"),
        given=given,
        dates=dates,
        narrowed=any(given.values()) or any(dates.values()),
        offered=_offered(reading, site),
        number=reading.catalogue.count(site),
        gone=reading.catalogue.count(site, "state", "gone"),
        rows=rows,
        snippets=found.snippets,
        by_title=found.by_title,
        found=found.number,
        older=older,
        behind=reading.behind(),
        numbers=_numbers(reading, site),
    )


def search(reading: ThreadArchive, request: Request) -> Answer:
    """Show the articles of all sites that have the words of ``q``."""
    words = request.text("q")
    made = partial(_found, reading, words)
    return Answer(body=reading.part("search", words, reading.read_to(), made=made))


def _found(reading: ThreadArchive, words: str) -> bytes:
    found = finding.find(reading, words, None, MOST_FOUND)
    rows = versions.newest_of(reading.archive.index, found.articles, private=reading.private)
    return templating.page(
        "search.html",
        words=words,
        rows=rows,
        number=found.number,
        snippets=found.snippets,
        by_title=found.by_title,
        behind=reading.behind(),
    ).body


def _articles(
    reading: ThreadArchive, request: Request, site: str, given: dict[str, str]
) -> tuple[list[SnapshotRow], finding.Found, str | None]:
    since, until = request.moment("from", start=True), request.moment("to")
    wanted = Wanted(
        site=site,
        values={kind: value for kind, value in given.items() if value},
        since=None if since is None else to_micros(since),
        until=None if until is None else to_micros(until),
    )
    older = None
    if words := request.text("q"):
        found = finding.find(reading, words, wanted, MOST_FOUND)
    else:
        listed = reading.catalogue.page(wanted, MOST_LISTED + 1, _after(request))
        found = finding.Found(tuple((one.site, one.slug) for one in listed[:MOST_LISTED]))
        if len(listed) > MOST_LISTED:
            mark = listed[MOST_LISTED - 1].mark
            query = {**given, "from": request.text("from"), "to": request.text("to")}
            older = paths.site_path(site, **query, after=f"{mark[0]}.{mark[1]}")
    rows = versions.newest_of(reading.archive.index, found.articles, private=reading.private)
    return rows, found, older


def _after(request: Request) -> tuple[int, int] | None:
    """Return where the list goes on; links of ours hold it."""
    text = request.text("after")
    if not text:
        return None
    date, _, n = text.partition(".")
    if len(text) > 40 or not date.removeprefix("-").isdecimal() or not n.isdecimal():  # noqa: PLR2004  - two whole numbers of 64 bits
        raise wrong("after is where a list goes on: follow its link.")
    found = int(date), int(n)
    if max(map(abs, found)) >= 1 << 63:
        raise wrong("after is where a list goes on: follow its link.")
    return found


def _offered(reading: ThreadArchive, site: str) -> Markup:
    """Return the lists of common values beside the filters, as markup."""

    def made() -> bytes:
        offered = {
            kind: reading.catalogue.commonest(site, kind, most) for kind, most in _OFFERED.items()
        }
        return templating.page("offered.html", offered=offered).body

    return Markup(reading.part("offered", site, made=made).decode())  # noqa: S704  - a template's


def _numbers(reading: ThreadArchive, site: str) -> Markup:
    """Return the plots and their table, as markup."""

    def made() -> bytes:
        return templating.page("plots.html", plots=_plots(reading, site)).body

    return Markup(reading.part("plots", site, made=made).decode())  # noqa: S704  - a template's


def _plots(reading: ThreadArchive, site: str) -> list[charts.Plot]:
    last = reading.catalogue.last_day(site)
    if last is None:
        return []
    days = reading.catalogue.days(site, last - DAYS + 1)
    first = _EPOCH + timedelta(days=last - DAYS + 1)
    return [
        charts.plot(
            title, note, first,
            [days.get(what, {}).get(last - DAYS + 1 + n, 0) for n in range(DAYS)],
            in_bytes=what == "bytes",
        )
        for what, title, note in _PLOTS
    ]  # fmt: skip
