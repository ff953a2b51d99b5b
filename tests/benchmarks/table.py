"""From crawls to the tables that are printed: medians, same-round ratios, Markdown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.benchmarks.rounds import Crawl

KIB_IN_MIB = 1024
MB = 1_000_000
TITLES = {
    "first": "First crawl",
    "unchanged": "Crawled again, nothing changed",
    "edited": "Crawled again after an edit",
}


def ratio(crawls: Iterable[Crawl], one: str, other: str) -> float | None:
    """Return the median over the rounds of ``one``'s wall time by ``other``'s in the same round.

    All of one step. Crawls that failed have no say; None where no round has both.
    """
    walls: dict[int, dict[str, float]] = {}
    for crawl in crawls:
        if not crawl.failed:
            walls.setdefault(crawl.round, {})[crawl.client] = crawl.used.wall
    both = [found[one] / found[other] for found in walls.values() if {one, other} <= found.keys()]
    return median(both) if both else None


def reference(names: Sequence[str]) -> str:
    """Choose whom all are measured by: wget2, else the first that is there of wget and curl."""
    return next((name for name in ("wget2", "wget", "curl") if name in names), names[0])


@dataclass(frozen=True)
class Heading:
    """What the tables say beside the crawls: the clients in order, those that are ``ours``.

    ``versions`` and ``starts`` (seconds of start-up) are by client; ``against`` is whom all are
    measured by.
    """

    names: Sequence[str]
    ours: Sequence[str] = ()
    against: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    starts: Mapping[str, float | None] = field(default_factory=dict)


def markdown(crawls: Sequence[Crawl], heading: Heading) -> str:
    """Write a table for each step."""
    tables = []
    for step in dict.fromkeys(crawl.step for crawl in crawls):
        some = [crawl for crawl in crawls if crawl.step == step]
        there = {crawl.client for crawl in some}
        rows = [_row(some, name, heading) for name in heading.names if name in there]
        tables.append(f"**{TITLES[step]}**\n\n{_table(rows)}")
    return "\n".join(tables)


def _row(crawls: Sequence[Crawl], name: str, heading: Heading) -> dict[str, str]:
    """Give one client's line, by column."""
    own = [crawl for crawl in crawls if crawl.client == name]
    walls = [crawl.used.wall for crawl in own]
    start = heading.starts.get(name)
    row = {
        "client": f"{name} {heading.versions.get(name, '')}".strip(),
        "wall s (min-max)": f"{median(walls):.2f} ({min(walls):.2f}-{max(walls):.2f})",
        "start-up s": "" if start is None else f"{start:.2f}",
        f"÷ {heading.against}": _times(ratio(crawls, name, heading.against)),
    }
    row |= {
        f"{one} ÷ it": "" if one == name else _times(ratio(crawls, one, name))
        for one in heading.ours
    }
    return row | {
        "CPU s": f"{median(crawl.used.cpu for crawl in own):.2f}",
        "server CPU s": f"{median(crawl.server for crawl in own):.2f}",
        "peak MiB": f"{max(crawl.used.rss for crawl in own) / KIB_IN_MIB:.0f}",
        "requests": f"{median(crawl.traffic.requests for crawl in own):,.0f}",
        "MB": f"{median(crawl.traffic.received for crawl in own) / MB:.1f}",
        "disk MB": f"{median(crawl.disk for crawl in own) / MB:.1f}",
        **_what_it_has(own),
    }


def _what_it_has(own: Sequence[Crawl]) -> dict[str, str]:
    """Say the worst of the rounds: a mirror that is sometimes whole is not whole."""
    worst = min(own, key=lambda crawl: crawl.equal)
    failed = [str(crawl.used.exit) for crawl in own if crawl.failed]
    trouble = f", exit {'/'.join(dict.fromkeys(failed))}" if failed else ""
    has = {"byte-equal": f"{worst.equal:,} of {worst.total:,}{trouble}"}
    if not worst.edited:
        return has
    found = min(own, key=lambda crawl: crawl.found)
    return {"edits found": f"{found.found:,} of {found.edited:,}", **has}


def _times(number: float | None) -> str:
    return "" if number is None else f"{number:.2f}"


def _table(rows: Sequence[Mapping[str, str]]) -> str:
    columns = list(rows[0])
    lines = [columns, ["---", *("---:" for _ in columns[1:])]]
    lines += [[row[column] for column in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
