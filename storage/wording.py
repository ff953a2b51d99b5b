"""Words and numbers for people: how much, how many, and what happened. Pure."""

from __future__ import annotations

_KIBI = 1024
#: From here on a number says enough without a fraction.
_WHOLE = 10

#: What happened to an article, by a snapshot's reason or an event's kind.
_TOLD = {
    "first": "New",
    "edit": "Edited",
    "silent-edit": "Edited in silence",
    "same-day": "Edited the same day",
    "undated": "Edited, undated",
    "completed": "Completed",
    "format-added": "In a new format",
    "format-removed": "Lost a format",
    "reverted": "Back to earlier words",
    "gone-seen": "Seen gone once",
    "gone": "Gone",
    "returned": "Returned",
    "moved": "Moved",
    "alias": "Also at another URL",
    "slug-assigned": "Given its slug",
    "forgotten": "Forgotten",
}


def told(what: str) -> str:
    """Say in words what a reason or an event means."""
    return _TOLD.get(what, what)


def size(number: int) -> str:
    """Show a number of bytes in a few characters."""
    amount = float(number)
    for unit in ("B", "KiB", "MiB"):
        if amount < _KIBI:
            return (
                f"{amount:.0f} {unit}"
                if amount >= _WHOLE or unit == "B"
                else f"{amount:.1f} {unit}"
            )
        amount /= _KIBI
    return f"{amount:,.1f} GiB"


def count(number: int, thing: str, things: str = "") -> str:
    """Show how many there are: ``1 snapshot``, ``2 snapshots``."""
    return f"{number:,} {thing if number == 1 else things or thing + 's'}"
