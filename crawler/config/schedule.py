"""Cron lines, checked: five fields, as crontab(5) and POSIX write them. Pure.

Only read here, never acted on: cron, a timer or ``slugline schedule`` starts the runs.
"""

from __future__ import annotations

from msgspec import Struct

#: Characters of a line: any that says something is shorter.
MAX_LINE = 200
NICKNAMES = frozenset({"@hourly", "@daily", "@weekly", "@monthly", "@yearly"})


class _Field(Struct, frozen=True):
    """One of the five: its bounds, both inclusive, and the words that stand for numbers."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)


def problem_of(line: str) -> str:
    """Say what is wrong with the cron line ``line``; an empty text: nothing is."""
    if line in NICKNAMES:
        return ""
    parts = line.split()
    if len(parts) != len(_FIELDS) or len(line) > MAX_LINE:
        return "must be a cron line of five fields, such as '*/15 * * * *', or @hourly, @daily …"
    for text, field in zip(parts, _FIELDS, strict=True):
        if not all(_good(part, field) for part in text.split(",")):
            return f"must have its {field.name} from {field.least} to {field.most}, not {text!r}"
    return ""


def _good(part: str, field: _Field) -> bool:
    """Say whether ``part`` is ``*``, a value or a range, with a step or without."""
    span, slash, step = part.partition("/")
    if slash and not (_digits(step) and 0 < int(step) <= field.most):
        return False
    if span == "*":
        return True
    first, dash, last = span.partition("-")
    low, high = _value(first, field), _value(last if dash else first, field)
    if slash and not dash:
        return False
    return low is not None and high is not None and low <= high


def _value(text: str, field: _Field) -> int | None:
    word = text.lower()
    if word in field.words:
        return field.words.index(word) + field.least
    number = int(text) if _digits(text) else None
    return number if number is not None and field.least <= number <= field.most else None


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 2  # noqa: PLR2004  - up to 59
