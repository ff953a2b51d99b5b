"""What it means that a known article is not where it was: gone, moved, or nothing yet. Pure.

Nothing is concluded from one look: a 404 has to be seen twice, a while apart, and never where many
articles vanish at once. A permanent redirect (RFC 9110 sections 15.4.2 and 15.4.9) is a move only
to an article with the same title or words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from msgspec import Struct

from crawler.folding import comparable
from storage.model import ContentDigest, Manifest, Payload, Record

NOT_FOUND, GONE = 404, 410
#: What says that an article is there and not for us (RFC 9110 section 15.5, RFC 7725).
BLOCKED = frozenset({401, 403, 451})
PERMANENT = frozenset({301, 308})
#: A 410 is meant (RFC 9110 section 15.5.11): an hour is enough to leave a slip of the hand out.
GONE_WAIT = timedelta(hours=1)
#: Articles that may vanish in one run whatever the site's size: editors take single ones down.
MOST_AT_ONCE = 5
#: The share of a run's articles above which their vanishing is the site's trouble, not theirs.
MOST_SHARE = 0.02
#: How long an article that failed and that nothing names is left alone, by attempts so far.
AGAIN_AFTER = (timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=7))

Departure = Literal["gone-seen", "gone"]


class Proofs(Struct, frozen=True, kw_only=True):
    """The answers that show it, what was cut from them, and whether they are private."""

    payloads: tuple[Payload, ...] = ()
    redacted: tuple[str, ...] = ()
    private: bool = False

    @property
    def size(self) -> int:
        """Bytes of the bodies, as received."""
        return sum(len(each.body) for each in self.payloads)


class Sighting(Struct, frozen=True, kw_only=True):
    """A known article that was not at its own URL; ``status`` is the last answer's."""

    slug: str
    url: str
    status: int
    why: str
    evidence: Proofs = Proofs()


class Missed(Struct, frozen=True, kw_only=True):
    """What the archive says of an article that was missed before, and since when."""

    event: Departure
    at: datetime


class Conclusion(Struct, frozen=True, kw_only=True):
    """What a run's sightings come to: events to store, and a sentence where nothing is concluded.

    ``waiting`` are those seen missing before whose time is not over, or gone long since.
    """

    events: tuple[tuple[Sighting, Departure], ...] = ()
    waiting: tuple[Sighting, ...] = ()
    mass: str = ""


def conclude(
    sightings: Sequence[Sighting],
    standing: Mapping[str, Missed],
    *,
    living: int,
    known: int,
    now: datetime,
    gone_after: timedelta,
) -> Conclusion:
    """Judge a run's ``sightings`` beside what stood before.

    ``living`` counts the articles that this run found as they should be, ``known`` those that the
    archive had, not gone, where the run looked.
    """
    fresh = sum(each.slug not in standing for each in sightings)
    pending = sum(_event(each, standing) == "gone-seen" for each in sightings)
    most = max(MOST_AT_ONCE, int(MOST_SHARE * (living + fresh + pending)))
    if fresh > most:
        return Conclusion(mass=_mass(fresh, living))
    if sightings and not living and known > MOST_AT_ONCE:
        return Conclusion(mass=_mass(len(sightings), living))
    events: list[tuple[Sighting, Departure]] = []
    waiting: list[Sighting] = []
    for each in sightings:
        event = next_event(standing.get(each.slug), each.status, now, gone_after)
        if event is None:
            waiting.append(each)
        else:
            events.append((each, event))
    return Conclusion(events=tuple(events), waiting=tuple(waiting))


def next_event(
    before: Missed | None, status: int, now: datetime, gone_after: timedelta
) -> Departure | None:
    """Return what one more sighting makes of an article; None: nothing new."""
    if before is None:
        return "gone-seen"
    if before.event == "gone" or now - before.at < wait(status, gone_after):
        return None
    return "gone"


def wait(status: int, gone_after: timedelta) -> timedelta:
    """Return how far apart two sightings must be."""
    return min(GONE_WAIT, gone_after) if status == GONE else gone_after


def ask_again(
    verdict: str, attempts: int, age: timedelta, *, gone: bool, gone_after: timedelta
) -> bool:
    """Say whether an article that was not there, or failed, is due though nothing names it.

    ``age`` is the time since it was asked for. One seen missing is due an hour later, since a
    second 410 settles it then; one that is ``gone``, or forbidden, is left to verification.
    """
    if gone or verdict not in ("gone", "failed"):
        return False
    if verdict == "gone":
        return age >= min(GONE_WAIT, gone_after)
    return age >= AGAIN_AFTER[min(attempts, len(AGAIN_AFTER)) - 1 if attempts else 0]


def moved_for_good(hops: Iterable[Payload]) -> bool:
    """Say whether redirects were followed, and every one of them is permanent."""
    statuses = [hop.status for hop in hops]
    return bool(statuses) and all(status in PERMANENT for status in statuses)


def matches(
    newest: Manifest, record: Record, content: Mapping[str, ContentDigest] | None = None
) -> bool:
    """Say whether ``record`` is the article of ``newest`` elsewhere: the same title, or words."""
    old = newest.record
    if old is None:
        return False
    same_title = _alike(old.title, record.title)
    same_words = _alike(old.body_md, record.body_md)
    digests = {each.digest for each in (content or {}).values()}
    return same_title or same_words or any(e.digest in digests for e in newest.content.values())


def renamed(newest: Manifest, slug: str | None, record: Record) -> bool:
    """Say whether a publisher's own slug and publication date make ``record`` the same article."""
    old = newest.record
    return (
        old is not None
        and slug is not None
        and old.slug == slug
        and old.published_at is not None
        and old.published_at == record.published_at
    )


def _alike(old: str | None, new: str | None) -> bool:
    words = comparable(old)
    return bool(words) and words == comparable(new)


def _event(sighting: Sighting, standing: Mapping[str, Missed]) -> str:
    before = standing.get(sighting.slug)
    return before.event if before is not None else ""


def _mass(missing: int, living: int) -> str:
    return (
        f"{missing} known articles were not at their URLs, {living} were: that many at once is the "
        "site's trouble and not theirs, so none is taken for gone (mass-gone)"
    )
