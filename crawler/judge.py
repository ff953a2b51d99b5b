"""What a reading of an article means beside its newest snapshot: nothing, or a snapshot and why.

Pure. The rules are DESIGN section 4, "What is an edit": sources are compared only with themselves,
a format that comes or goes is no edit, and a time that moved alone is said, not taken for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from crawler.assemble import Assembly, as_stamp
from storage.model import ContentDigest, Finding, Key, Manifest, Reason, Stamp
from storage.times import format_utc, same_moment

#: Sources whose text the publisher wrote as text; where one is common to both readings, the HTML's
#: extracted main text has no say.
TEXT_SOURCES = ("record", "json", "markdown", "text", "jsonld")


class Formats(Struct, frozen=True, kw_only=True):
    """The formats of this reading: here now, and those no longer declared."""

    present: frozenset[str]
    undeclared: frozenset[str] = frozenset()


class Judgement(Struct, frozen=True, kw_only=True):
    """``reason`` is None where nothing is to be stored; ``key`` is the one to file it under."""

    reason: Reason | None
    key: Key
    findings: tuple[Finding, ...] = ()
    html_differs: bool = False


def judge(
    newest: Manifest | None,
    now: Assembly,
    formats: Formats,
    earlier: Iterable[Mapping[str, ContentDigest]] = (),
) -> Judgement:
    """Compare a reading with the ``newest`` snapshot and say whether, and why, it is a new one.

    ``earlier`` are the content digests of the snapshots before the newest, for reverts.
    """
    if newest is None or newest.key is None:
        return Judgement(reason="first", key=now.key)
    edited = differing(newest.content, now.content, now.bodied)
    stamped_anew = stamps_moved(newest.stamps, now.stamps)
    moved = stamped_anew and not _same_key(newest.key, now.key)
    if edited:
        key = _edited_key(newest, newest.key, now, moved=moved)
        reason = _edit_reason(newest.key, now, key, stamped_anew=stamped_anew)
        if _reverted(now, earlier):
            reason = "reverted"
        return Judgement(reason=reason, key=key, findings=_backwards(newest.key, key))
    if moved:
        said = Finding(kind="date-only", detail="the update time moved, the words did not")
        found = (said, *_backwards(newest.key, now.key))
        return Judgement(reason="edit", key=now.key, findings=found)
    return Judgement(
        reason=_format_reason(newest, formats),
        key=newest.key,
        html_differs=_differs(newest.content, now.content, "html"),
    )


def differing(
    old: Mapping[str, ContentDigest], new: Mapping[str, ContentDigest], bodied: frozenset[str]
) -> frozenset[str]:
    """Return the sources, present in both, whose words differ and whose difference counts."""
    both = old.keys() & new.keys()
    told = [source for source in TEXT_SOURCES if source in both and source in bodied]
    counting = both - {"html"} if told else both
    return frozenset(source for source in counting if _differs(old, new, source))


def stamps_moved(old: Mapping[str, Stamp], new: Mapping[str, Stamp]) -> bool:
    """Say whether a source that declared a time both then and now declares another one now."""
    return any(
        source in new and not same_moment(stamp, new[source]) for source, stamp in old.items()
    )


def _differs(
    old: Mapping[str, ContentDigest], new: Mapping[str, ContentDigest], source: str
) -> bool:
    return source in old and source in new and old[source].digest != new[source].digest


def _same_key(old: Key, new: Key) -> bool:
    return same_moment(as_stamp(old), as_stamp(new))


def _reverted(now: Assembly, earlier: Iterable[Mapping[str, ContentDigest]]) -> bool:
    return any(
        each.keys() & now.content.keys() and not differing(each, now.content, now.bodied)
        for each in earlier
    )


def _edited_key(newest: Manifest, old: Key, now: Assembly, *, moved: bool) -> Key:
    """Keep the old key while a source that declared it still does, and has not moved it."""
    if not moved and old.declared and newest.stamps.keys() & now.stamps.keys():
        return old
    return now.key


def _edit_reason(old: Key, now: Assembly, key: Key, *, stamped_anew: bool) -> Reason:
    """Name an edit; only a publisher who still states the old time has edited silently."""
    if not key.declared:
        return "undated"
    if not _same_key(old, key):
        return "edit"
    if key.unit in ("day", "month", "year"):
        return "same-day"
    if stamped_anew or key.source not in now.stamps:
        return "undated"
    return "silent-edit"


def _format_reason(newest: Manifest, formats: Formats) -> Reason | None:
    had = frozenset(each.format for each in newest.representations)
    came = formats.present - had
    if came & frozenset(newest.missing):
        return "completed"
    if came:
        return "format-added"
    return "format-removed" if had & formats.undeclared else None


def _backwards(old: Key, new: Key) -> tuple[Finding, ...]:
    if new.updated_at >= old.updated_at or _same_key(old, new):
        return ()
    before, after = format_utc(old.updated_at), format_utc(new.updated_at)
    detail = f"the update time went from {before} back to {after}"
    return (Finding(kind="went-backwards", detail=detail),)
