"""The end of a run in words: what was kept, what is short and why, what to do next. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Literal

from crawler.events import Summary
from crawler.progress.tally import Partial, Tally
from crawler.progress.wording import clean, count, duration, size

#: Examples named for each reason: enough to see what they have in common.
EXAMPLES = 3
#: Reasons told apart: past these the rest is one number.
REASONS = 6


def render_summary(
    summary: Summary,
    tally: Tally | None = None,
    *,
    mirror: str = "mirror",
    made: bool = False,
    interrupted: bool = False,
    verify: Literal["all", "due", "none"] = "due",
) -> str:
    """Write ``summary`` for a person, lines joined by newlines, the last without one.

    ``tally`` adds which formats the partial articles lack, and how many pages were no article and
    known articles not there; ``mirror`` is the folder that the commands to type next name, ``made``
    in this run; ``verify`` is which articles the run compared, whatever their dates said.
    """
    lines = [_headline(summary, interrupted=interrupted), *_kept(summary)]
    lines += _passed(summary, tally, mirror)
    lines += _partial(summary, tally.partials if tally else ())
    lines += _failed(summary, tally)
    lines.append("")
    if summary.articles or interrupted:
        lines += _next(summary, mirror, verify, interrupted=interrupted)
    else:
        lines += _nothing(summary, mirror, made=made)
    return "\n".join(lines)


def _headline(summary: Summary, *, interrupted: bool) -> str:
    state = "Interrupted, and saved" if interrupted else "Done"
    return (
        f"{state}: {count(summary.articles, 'article')} on {count(summary.sites, 'site')} in "
        f"{duration(summary.seconds)}, with {count(summary.requests, 'request')} "
        f"({size(summary.bytes)})."
    )


def _kept(summary: Summary) -> Iterable[str]:
    if summary.snapshots:
        silent = f", {count(summary.silent_edits, 'silent edit')} among them"
        yield f"  kept       {count(summary.snapshots, 'new snapshot')}" + (
            silent if summary.silent_edits else ""
        )
    else:
        yield "  kept       nothing new"
    if summary.unchanged:
        yield f"  unchanged  {count(summary.unchanged, 'article')}"
    if summary.torn:
        yield (
            f"  torn       {count(summary.torn, 'article')}, whose formats still disagreed "
            "when read again"
        )
    if summary.gone:
        yield f"  gone       {count(summary.gone, 'article')}; what was kept of them stays"


def _passed(summary: Summary, tally: Tally | None, mirror: str) -> Iterable[str]:
    if tally is not None and tally.missed:
        missed = count(tally.missed, "known article")
        yield f"  not there  {missed}, kept as it was; why: {_log(summary, mirror)}"
    if tally is not None and tally.pages:
        yield f"  no article {count(tally.pages, 'page')}; why: {_log(summary, mirror)}"


def _log(summary: Summary, mirror: str) -> str:
    return shlex.quote(f"{mirror}/runs/{summary.run}.jsonl")


def _partial(summary: Summary, partials: Iterable[Partial]) -> Iterable[str]:
    if not summary.partial:
        return
    yield f"  partial    {count(summary.partial, 'article')}, kept without every declared format"
    grouped = [
        (f"{name} is missing: {reason}", partial.url)
        for partial in partials
        for name, reason in partial.missing.items()
    ]
    yield from _by_reason(grouped)


def _failed(summary: Summary, tally: Tally | None) -> Iterable[str]:
    if summary.failed:
        failed = count(summary.failed, "article or document", "articles or documents")
        yield f"  failed     {failed}"
    if summary.errors and not summary.failed:
        yield f"  trouble    {count(len(summary.errors), 'document')} could not be had"
    yield from _by_reason([(error.reason, error.url) for error in summary.errors])
    if tally is not None and tally.failed_before:
        yield (
            f"  as before  {count(tally.failed_before, 'failure')} already known from earlier runs"
        )


def _by_reason(pairs: list[tuple[str, str]]) -> Iterable[str]:
    groups: dict[str, list[str]] = {}
    for reason, url in pairs:
        groups.setdefault(reason, []).append(url)
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))
    for reason, urls in largest[:REASONS]:
        yield f"             {len(urls):,} x {clean(reason)}"
        yield from (f"               {clean(url)}" for url in urls[:EXAMPLES])
        if len(urls) > EXAMPLES:
            yield f"               and {len(urls) - EXAMPLES:,} more"
    rest = sum(len(urls) for _, urls in largest[REASONS:])
    if rest:
        yield f"             {rest:,} for other reasons"


def _next(summary: Summary, mirror: str, verify: str, *, interrupted: bool) -> Iterable[str]:
    where = f" --mirror {shlex.quote(mirror)}"
    if interrupted:
        yield "Run the same command again: it goes on where this run stopped."
    elif summary.failed or summary.partial:
        yield "Run the same command again later: it asks first for what is missing."
        yield f"How much is short: slugline status{where}"
    if summary.articles:
        yield f"Read it: slugline list{where}"
        yield f"         slugline log SLUG{where}"
        yield f"Run it again to catch edits: {_found(verify, summary.verify_bound_days)}."


def _found(verify: str, days: int) -> str:
    """Say when a later run like this one finds an edit that no date tells of."""
    if verify == "all":
        return "every article is compared, so that an unannounced one is found too"
    if verify == "none":
        return "an unannounced one is not found (--verify none)"
    return f"an unannounced one is found within {count(days, 'day')}"


def _nothing(summary: Summary, mirror: str, *, made: bool) -> Iterable[str]:
    why = "see what failed, above" if summary.failed else "check the URL"
    yield f"No article was found: {why}. What was asked, and what came:"
    yield f"  {_log(summary, mirror)}"
    if made:
        yield f"The mirror {shlex.quote(mirror)} is new and empty: it may be removed."
