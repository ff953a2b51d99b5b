"""A run's numbers for Prometheus: the text format of node_exporter's textfile collector.

``render`` is pure; ``write`` replaces the file in one step, so that the collector never reads half
of one. Everything is a gauge: it tells of the last run.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from msgspec import Struct

from crawler.events import Summary
from crawler.progress.tally import Tally
from crawler.replacing import replacing


class SiteNumbers(Struct, frozen=True, kw_only=True):
    """One site as the mirror has it after the run."""

    site: str
    articles: int
    partial: int
    failed: int
    gone: int
    bytes: int
    good_at: datetime | None = None
    unfinished: bool = False


_RUN = (
    ("sites", "Sites that had a turn in the last run."),
    ("articles", "Articles looked at or known to be unchanged."),
    ("requests", "Requests sent, retries included."),
    ("bytes", "Bytes of bodies received."),
    ("snapshots", "Snapshots stored."),
    ("unchanged", "Articles found unchanged."),
    ("silent_edits", "Edits under an unmoved date."),
    ("torn", "Snapshots whose formats disagree."),
    ("partial", "Snapshots stored with formats missing."),
    ("gone", "Articles found gone."),
    ("seconds", "Duration of the run."),
)
_SITE = (
    ("articles", "Articles kept of the site."),
    ("partial", "Articles whose newest snapshot lacks formats."),
    ("failed", "Entries that failed when last asked for."),
    ("gone", "Articles that are gone from the site."),
    ("bytes", "Bytes of its segments."),
)


def render(
    summary: Summary, tally: Tally, sites: Iterable[SiteNumbers], *, code: int, at: datetime
) -> str:
    """Return the whole file: ``at`` is when the run ended, ``code`` its exit code."""
    sites = sorted(sites, key=lambda each: each.site)
    lines = []
    for name, words in _RUN:
        lines += _metric(f"run_{name}", words, [("", getattr(summary, name))])
    failures = [('{known="false"}', tally.failed), ('{known="true"}', tally.failed_before)]
    lines += _metric("run_failed", "Failures, new ones and those known before.", failures)
    lines += _metric("run_exit_code", "Exit code of the run.", [("", code)])
    lines += _metric("run_end_time_seconds", "When the run ended.", [("", at.timestamp())])
    for name, words in _SITE:
        rows = [(_label(each), getattr(each, name)) for each in sites]
        lines += _metric(f"site_{name}", words, rows)
    good = [(_label(each), each.good_at.timestamp()) for each in sites if each.good_at]
    lines += _metric("site_last_good_run_time_seconds", "When a run last read all of it.", good)
    rows = [(_label(each), int(each.unfinished)) for each in sites]
    lines += _metric("site_unfinished", "1 where the next run goes on with this one's work.", rows)
    return "".join(f"{line}\n" for line in lines)


def write(path: Path, text: str) -> None:
    """Put ``text`` at ``path`` in one step, readable for all; raises OSError."""
    with replacing(path, mode=0o644) as file:
        file.write(text.encode())


def _metric(name: str, words: str, rows: Iterable[tuple[str, float]]) -> list[str]:
    samples = [f"slugline_{name}{labels} {_number(value)}" for labels, value in rows]
    if not samples:
        return []
    return [f"# HELP slugline_{name} {words}", f"# TYPE slugline_{name} gauge", *samples]


def _label(each: SiteNumbers) -> str:
    escaped = each.site.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'{{site="{escaped}"}}'


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
