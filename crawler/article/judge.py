"""What a reading of an article means beside its newest snapshot: nothing, or a snapshot and why.

Pure. The rules: sources are compared only with themselves, a format that comes or goes is no
edit, and a time that moved alone is said, not taken for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct, structs

from crawler.article.assemble import Assembly, as_stamp, disagreeing
from storage.model import (
    DECLARED_SOURCES,
    ContentDigest,
    Finding,
    Key,
    Manifest,
    Reason,
    Stamp,
)
from storage.times import format_utc, same_moment

#: Sources whose text the publisher wrote as text; where one is common to both readings, the HTML's
#: extracted main text has no say.
TEXT_SOURCES = ("record", "json", "markdown", "text", "jsonld")
#: Sources that are compared by words alone: an HTML page without any is a script's shell, and new
#: at each release of its site.
READ_FOR_WORDS = frozenset({"html", *TEXT_SOURCES})
#: Reasons that mean an edit.
_EDITS = frozenset({"edit", "silent-edit", "same-day", "undated", "reverted"})
DATE_ONLY = Finding(kind="date-only", detail="the update time moved, the words did not")
BYTES_ONLY = Finding(kind="bytes-only", detail="the bytes changed, the words did not")
HTML_ONLY = Finding(
    kind="html-only",
    detail="the page's own text changed, its text formats did not",
    formats=("html",),
)


class Formats(Struct, frozen=True, kw_only=True):
    """The formats of this reading: here now, and those nobody declares any more.

    ``undeclared`` are of the newest snapshot's formats, the missing ones among them too.
    ``rewritten`` are those whose bytes changed, where such a change is kept: all where the user
    wants so, else files without words that were replaced.
    """

    present: frozenset[str]
    undeclared: frozenset[str] = frozenset()
    rewritten: frozenset[str] = frozenset()


class Judgement(Struct, frozen=True, kw_only=True):
    """``reason`` is None where nothing is to be stored; ``key`` is the one to file it under.

    ``edited`` are the sources whose words changed.
    """

    reason: Reason | None
    key: Key
    findings: tuple[Finding, ...] = ()
    html_differs: bool = False
    edited: frozenset[str] = frozenset()

    @property
    def is_edit(self) -> bool:
        """Whether its words or times changed: other bytes alone are no edit of an article."""
        only_bytes = any(each.kind == BYTES_ONLY.kind for each in self.findings)
        return self.reason in _EDITS and not only_bytes


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
    moved = bool(stamped_anew) and not _same_key(newest.key, now.key)
    if edited:
        key = _edited_key(newest, newest.key, now, moved=moved)
        reason = _edit_reason(newest.key, now, key, stamped_anew=bool(stamped_anew))
        if _reverted(now, edited, earlier):
            reason = "reverted"
        found = _backwards(newest.key, key)
        return Judgement(reason=reason, key=key, findings=found, edited=edited)
    return _unedited(newest, newest.key, now, formats, stamped_anew if moved else frozenset())


def _unedited(
    newest: Manifest, old: Key, now: Assembly, formats: Formats, moved: frozenset[str]
) -> Judgement:
    """Judge a reading whose words are the newest snapshot's; ``moved`` as the key did with them."""
    html_differs = _differs(newest.content, now.content, "html")
    only_html = (HTML_ONLY,) if html_differs else ()
    if moved and _is_news(newest, now, moved):
        found = (DATE_ONLY, *only_html, *_backwards(old, now.key))
        return Judgement(reason="edit", key=now.key, findings=found, html_differs=html_differs)
    reason = _format_reason(newest, formats)
    if reason is None and formats.rewritten:
        bytes_only = structs.replace(BYTES_ONLY, formats=tuple(sorted(formats.rewritten)))
        found = (bytes_only, *only_html)
        return Judgement(reason="undated", key=old, findings=found, html_differs=html_differs)
    key = old if reason is None else _better_key(old, now.key)
    found = (*only_html, *_backwards(old, key))
    return Judgement(reason=reason, key=key, findings=found, html_differs=html_differs)


def differing(
    old: Mapping[str, ContentDigest], new: Mapping[str, ContentDigest], bodied: frozenset[str]
) -> frozenset[str]:
    """Return the sources, present in both, whose words differ and whose difference counts."""
    both = old.keys() & new.keys()
    told = [source for source in TEXT_SOURCES if source in both and source in bodied]
    counting = both - {"html"} if told else both
    return frozenset(source for source in counting if _differs(old, new, source))


def stamps_moved(old: Mapping[str, Stamp], new: Mapping[str, Stamp]) -> frozenset[str]:
    """Return the sources that declared a time both then and now, and declare another one now."""
    return frozenset(
        source
        for source, stamp in old.items()
        if source in new and not same_moment(stamp, new[source])
    )


def _is_news(newest: Manifest, now: Assembly, moved: frozenset[str]) -> bool:
    """Say whether update times that moved without words are worth a snapshot.

    Where the formats have disagreed before, one of them may show the moment of the request, or
    two servers two zones: then only the most trusted source is believed, or one whose own words
    went with its time. Else such a site would open a snapshot at each look.
    """
    if not disagreeing(newest.stamps):
        return True
    both = newest.stamps.keys() & now.stamps.keys()
    trusted = next(source for source in DECLARED_SOURCES if source in both)
    return trusted in moved or any(_differs(newest.content, now.content, each) for each in moved)


def _differs(
    old: Mapping[str, ContentDigest], new: Mapping[str, ContentDigest], source: str
) -> bool:
    return source in old and source in new and old[source].digest != new[source].digest


def _same_key(old: Key, new: Key) -> bool:
    return same_moment(as_stamp(old), as_stamp(new))


def _reverted(
    now: Assembly, edited: frozenset[str], earlier: Iterable[Mapping[str, ContentDigest]]
) -> bool:
    """Say whether an earlier snapshot had all the ``edited`` sources, with the words of now."""
    return any(
        edited <= each.keys() and not differing(each, now.content, now.bodied) for each in earlier
    )


def _better_key(old: Key, new: Key) -> Key:
    """Keep the key through a change of formats, unless it was inferred and one is declared now."""
    return new if new.declared and not old.declared else old


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
    return "undated" if stamped_anew or not _states(now, key) else "silent-edit"


def _states(now: Assembly, key: Key) -> bool:
    return any(same_moment(stamp, as_stamp(key)) for stamp in now.stamps.values())


def _format_reason(newest: Manifest, formats: Formats) -> Reason | None:
    had = frozenset(each.format for each in newest.representations)
    came = formats.present - had
    if came & frozenset(newest.missing):
        return "completed"
    if came:
        return "format-added"
    # A missing format that is withdrawn ends a partial snapshot as a removed one would.
    return "format-removed" if (had | newest.missing.keys()) & formats.undeclared else None


def _backwards(old: Key, new: Key) -> tuple[Finding, ...]:
    if new.updated_at >= old.updated_at or _same_key(old, new):
        return ()
    # A guess of ours that a publisher's word replaces was no time to go back from.
    if new.declared and not old.declared:
        return ()
    before, after = format_utc(old.updated_at), format_utc(new.updated_at)
    detail = f"the update time went from {before} back to {after}"
    return (Finding(kind="went-backwards", detail=detail),)
