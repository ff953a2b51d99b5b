"""One line about a run or an event, in words. Pure; the reporters choose which they show.

Each function returns "" for an event that it has nothing to say of. What a site wrote is cleaned
before it stands in a line.
"""

from __future__ import annotations

from datetime import UTC, datetime

from crawler import events
from crawler.progress.tally import HostShare, Tally
from crawler.progress.wording import clean, count, duration, pace, size

#: Seconds: shorter waits are the ordinary pace of a polite crawler.
WORTH_SAYING = 5.0


def progress_line(tally: Tally, now: datetime) -> str:
    """Write where the run stands at ``now``, in one line."""
    parts = [
        f"{tally.done:,} of {count(tally.known, 'page')}",
        f"{tally.rate(now):.1f} requests/s",
        f"{tally.stored:,} kept, {tally.unchanged:,} unchanged",
        size(tally.bytes),
    ]
    for number, word in ((tally.partial, "partial"), (tally.failed, "failed")):
        if number:
            parts.append(f"{number:,} {word}")
    left = tally.seconds_left(now)
    if left is not None:
        parts.append(f"about {duration(left)} left")
    elif tally.in_hand:
        parts.append(f"{tally.in_hand:,} in hand")
    return ", ".join(parts)


def state(host: HostShare, now: datetime) -> str:
    """Write how ``host`` is doing at ``now``: waiting and why, or its last answer."""
    wait = host.waits(now)
    if wait:
        return f"waits {duration(wait)}: {clean(host.why)}"
    if not host.troubles:
        return "answers"
    last = "no answer" if not host.last_status else f"last {host.last_status}"
    return f"{count(host.troubles, 'error')}, {last}"


def trouble(event: events.Event) -> str:
    """Write the line of an event that went wrong, "" for any other."""
    match event:
        case events.Failed(known=False):
            return f"failed: {clean(event.url)}: {clean(event.reason)}"
        case events.Stored(state="partial", known=False):
            why = "; ".join(f"{name}: {reason}" for name, reason in event.missing.items())
            return f"partial: {clean(event.url)}: {clean(why)}"
        case events.Note(trouble=True):
            return _said(event)
        case events.RunFinished(interrupted=True):
            return "interrupted: what is done is saved"
        case _:
            return ""


def remark(event: events.Event) -> str:
    """Write the line of an event that went well and is worth reading, "" for any other."""
    match event:
        case events.Note():
            return _said(event)
        case events.Stored(reason="silent-edit"):
            date = f"{event.updated_at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"
            return f"silent edit: {clean(event.url)}: other words under the same date {date}"
        case events.Happened():
            return f"{clean(event.event)}: {clean(event.url)}"
        case events.Waiting() if event.seconds >= WORTH_SAYING:
            return f"waits {duration(event.seconds)}: {clean(event.host)}: {clean(event.why)}"
        case _:
            return ""


def _said(note: events.Note) -> str:
    where = f"{clean(note.site)}: " if note.site else ""
    return f"{where}{clean(note.message)}"


def discovery_line(event: events.Event) -> str:
    """Write the line of a site's turn or of a source that was read, "" for any other event."""
    match event:
        case events.SiteStarted():
            bound = pace(event.rate) if event.rate else "no limit of our own"
            return f"{clean(event.scope)}: {bound}"
        case events.Discovered():
            before = event.count - event.new
            also = f", {before:,} of them named before" if before else ""
            return f"{clean(event.source)} {clean(event.url)}: {count(event.count, 'URL')}{also}"
        case _:
            return ""


def milestone_line(event: events.Event) -> str:
    """Write the line of a run's beginning and end, "" for any other event."""
    match event:
        case events.RunStarted():
            goes_on = ", going on where the last run stopped" if event.continues else ""
            return f"{event.command} {clean(' '.join(event.scopes))}{goes_on}"
        case events.RunFinished():
            done = count(event.summary.articles, "article")
            kept = count(event.summary.snapshots, "new snapshot")
            return f"{'interrupted' if event.interrupted else 'finished'}: {done}, {kept}"
        case _:
            return ""
