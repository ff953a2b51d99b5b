"""Dates as publishers write them, and as slugline keeps them.

One home for every date that is read or written: RFC 3339 section 5.6, RFC 9110 section
5.6.7, RFC 5322 section 3.3 with its obsolete forms (4.3), and the subsets of ISO 8601 that
sites use. Each text is held against a grammar first and only then made a moment; text that
fits none, or that could be read in two ways, is no date (None): null beats a guess. Nothing
here reads a clock, and no reader raises but ``parse_when``, which answers a user.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, get_args

import msgspec

from storage.date_forms import (
    ASCTIME,
    DAYS,
    IMF,
    ISO_BASIC,
    ISO_BASIC_DATE,
    ISO_DATE,
    ISO_TIME,
    MAIL,
    MONTH_NUMBERS,
    RFC850,
    RFC3339,
    USUAL,
    ZONES,
)
from storage.model import Stamp, Unit

#: Characters. The longest form below, with long fraction and comment, is under 80.
MAX_DATE: Final = 128
#: Texts remembered (about 1 MB): each format of an article gives the same few dates.
REMEMBERED: Final = 1024
#: The web's first pages; an older time is a default or a typing error.
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
#: A day, the widest that clocks and zones may honestly be apart.
LATEST_AHEAD: Final = timedelta(hours=24)
#: RFC 9110 section 5.6.7 reads a two-digit year as at most 50 years ahead: counted from 2026,
#: and fixed, because a parser has no clock and the form was obsolete before 2000.
LAST_SHORT_YEAR: Final = 76
#: RFC 5322 section 4.3: two digits up to 49 are 20xx, the others 19xx.
LAST_SHORT_MAIL_YEAR: Final = 49

#: Units by how exact they are, the vaguest first.
_RANKS: Final = {unit: rank for rank, unit in enumerate(get_args(Unit))}


class WhenError(ValueError):
    """A user's WHEN that is no moment; the message says what was given and what is allowed."""


def parse_rfc3339(text: str) -> Stamp | None:
    """Read ``text`` as RFC 3339 section 5.6 has it, and nothing else.

    ``t``, ``z`` and a space for the ``T`` are allowed by its notes. A leap second becomes the
    second before it. None: not of that grammar, no such day, or outside the years 1 to 9999 in UTC.
    """
    if len(text) > MAX_DATE or (found := RFC3339.fullmatch(text)) is None:
        return None
    return _moment(found.groups())


def parse_http_date(text: str) -> Stamp | None:
    """Read ``text`` as one of the three forms of RFC 9110 section 5.6.7, case and all.

    The name of the day is held against the grammar but not against the date, as browsers
    do. The stamp has unit ``second`` and offset 0.
    """
    return _http_date(text) if len(text) <= MAX_DATE else None


@lru_cache(maxsize=REMEMBERED)
def _http_date(text: str) -> Stamp | None:
    if found := IMF.fullmatch(text):
        day, month, year, *clock = found.groups()
    elif found := RFC850.fullmatch(text):
        day, month, year, *clock = found.groups()
        year = f"{19 if int(year) > LAST_SHORT_YEAR else 20}{year}"
    elif found := ASCTIME.fullmatch(text):
        month, day, *clock, year = found.groups()
    else:
        return None
    number = _month(month)
    return None if number is None else _moment((year, number, day, *clock), zone="Z")


def parse_declared(text: str) -> Stamp | None:
    """Read a date as publishers write it: whatever has one meaning only.

    RFC 3339; ISO 8601's year, month, day, minute and second, in extended and basic form, with a
    comma for the point and ``+hhmm`` or ``+hh``; RFC 5322 with its obsolete years and zones;
    HTTP dates. Never raises: None for everything else, however long or strange.
    """
    return _declared(text) if len(text) <= MAX_DATE else None


@lru_cache(maxsize=REMEMBERED)
def _declared(text: str) -> Stamp | None:
    usual = _usual(text)
    if usual is not None:
        return usual
    plain = " ".join(text.split())
    return _iso(plain) or _mail(plain) or _http_date(text.strip())


def same_moment(a: Stamp, b: Stamp) -> bool:
    """Tell whether two stamps are one moment, written more and less exactly.

    The finer one, truncated to the coarser one's unit, must be the coarser one; for seconds it
    may be rounded up as well. Days, months and years are cut in the zone that was
    written, UTC where none was. A clock time without a zone is held against both the
    other's UTC and its wall clock, since nobody said which of them it is.
    """
    if a == b:
        return True
    fine, coarse = (a, b) if _exactness(a) >= _exactness(b) else (b, a)
    try:
        if _exactness(coarse) <= _RANKS["day"]:
            return _is_day_of(coarse, fine)
        if _is_cut_of(coarse.at, fine.at, coarse.unit):
            return True
        if (fine.offset is None) is (coarse.offset is None):
            return False
        return _is_cut_of(_wall(coarse, coarse.offset), _wall(fine, fine.offset), coarse.unit)
    except OverflowError:
        return False


def finer(a: Stamp, b: Stamp) -> Stamp:
    """Return the stamp with the finer unit, ``a`` where both are alike."""
    return b if _exactness(b) > _exactness(a) else a


def plausible(stamp: Stamp, now: datetime) -> bool:
    """Tell whether ``stamp`` lies between 1990 and 24 hours after ``now`` (aware)."""
    return stamp.at >= EARLIEST and stamp.at - now <= LATEST_AHEAD


_encoder = msgspec.json.Encoder()


def format_utc(moment: datetime) -> str:
    """Write an aware moment as RFC 3339 in UTC with ``Z``; six digits of fraction or none."""
    utc = moment if moment.tzinfo is UTC else _utc(moment)
    # The same text as isoformat's, in a sixth of the time.
    return _encoder.encode(utc)[1:-1].decode()


def format_seed(moment: datetime) -> str:
    """Write an aware moment as the seed record does: ``2026-06-19 08:09:44+00:00``."""
    return _utc(moment).isoformat(sep=" ")


def parse_when(text: str, now: datetime, *, start: bool = False) -> datetime:
    """Read a user's WHEN as an aware moment in UTC.

    RFC 3339; a date and time without a zone, taken as UTC; ``now``; or a date, which is the whole
    UTC day: its last microsecond, or with ``start`` its first. Raises WhenError otherwise.
    """
    plain = text.strip() if len(text) <= MAX_DATE else ""
    if plain == "now":
        return _utc(now)
    stamp = parse_rfc3339(plain)
    if stamp is None and (found := ISO_TIME.fullmatch(plain)) and found[8] is None:
        stamp = _moment(found.groups())
    if stamp is not None:
        return stamp.at
    if (found := ISO_DATE.fullmatch(plain)) and found[3] and not found[4]:
        day = _moment(found.groups()[:3])
        if day is not None:
            return day.at if start else day.at + timedelta(days=1, microseconds=-1)
    shown = text if len(text) <= MAX_DATE else text[:MAX_DATE] + "…"
    raise WhenError(
        f"{shown!r} is no moment: give a date (2026-06-19, the whole UTC day), a date and time "
        "(2026-06-19T08:09:44Z or with another zone; UTC where none is given), or now"
    )


def _usual(text: str) -> Stamp | None:
    """Read a date in its usual form in a third of the time of `_moment`; None: ask that."""
    found = USUAL.fullmatch(text)
    if found is None:
        return None
    wall, fraction, zone = found.groups()
    offset = _offset(zone)
    if offset is None:
        return None
    try:
        at = datetime.fromisoformat(f"{wall}{fraction or ''}+00:00")
        if offset:
            at -= timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None
    unit: Unit = "second"
    if fraction:
        unit = "millisecond" if len(fraction) <= len(".123") else "microsecond"
    return Stamp(at=at, unit=unit, offset=offset)


def _iso(text: str) -> Stamp | None:
    """Read ISO 8601's extended and basic forms; a time of day needs its minutes."""
    if found := ISO_TIME.fullmatch(text) or ISO_BASIC.fullmatch(text):
        return _moment(found.groups())
    if found := ISO_DATE.fullmatch(text):
        return _moment(found.groups()[:3], zone=found[4])
    if found := ISO_BASIC_DATE.fullmatch(text):
        return _moment(found.groups())
    return None


def _mail(text: str) -> Stamp | None:
    """Read RFC 5322 section 3.3, names of days and months also in full, as feeds have them."""
    if (found := MAIL.fullmatch(text)) is None:
        return None
    name, day, month, year, hour, minute, second, zone = found.groups()
    number = _month(month)
    if number is None or (name and not any(d.startswith(name.lower()) for d in DAYS)):
        return None
    full = _mail_year(year, timed=hour is not None)
    if full is None:
        return None
    return _moment((full, number, day, hour, minute, second), zone=zone)


def _mail_year(year: str, *, timed: bool) -> str | None:
    """Write a year in full by RFC 5322 section 4.3; a short one without a time could be a day."""
    if len(year) == len("2026"):
        return year
    if not timed:
        return None
    if len(year) == len("026"):
        return str(1900 + int(year))
    return f"{20 if int(year) <= LAST_SHORT_MAIL_YEAR else 19}{year}"


def _month(name: str) -> str | None:
    return MONTH_NUMBERS.get(name.lower())


def _moment(fields: Iterable[str | None], zone: str | None = None) -> Stamp | None:
    """Make a stamp of fields whose form is proven; None where the calendar has no such moment.

    ``fields`` are year, month, day, hour, minute, second, fraction and zone, as far as written.
    """
    padded = (*fields, *(None,) * 8)[:8]
    year, month, day, hour, minute, second, fraction, written = padded
    zone = written or zone
    offset = _offset(zone)
    if zone and offset is None and zone[0] in "+-":
        return None
    if second == "60":
        second, fraction, leap = "59", None, True
    else:
        leap = False
    try:
        wall = datetime(
            int(year or 0),
            int(month or 1),
            int(day or 1),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            int((fraction or "")[:6].ljust(6, "0")),
            tzinfo=UTC,
        )
        at = wall - timedelta(minutes=offset or 0)
    except (ValueError, OverflowError):
        return None
    if leap and not _may_leap(at):
        return None
    return Stamp(at=at, unit=_unit(padded, fraction), offset=offset)


def _unit(fields: tuple[str | None, ...], fraction: str | None) -> Unit:
    """Name the finest unit that was written."""
    if fraction:
        return "millisecond" if len(fraction) <= len("123") else "microsecond"
    _, month, day, hour, _, second, *_ = fields
    if second:
        return "second"
    if hour:
        return "minute"
    if day:
        return "day"
    return "month" if month else "year"


def _offset(zone: str | None) -> int | None:
    """Turn a written zone into minutes; None for none, for an unknown name and past 23:59.

    RFC 5322 section 4.3 has unknown and military names say nothing about the zone.
    """
    if not zone:
        return None
    if zone in {"Z", "+00:00"}:
        return 0
    if zone[0] not in "+-":
        return ZONES.get(zone.upper())
    digits = zone.split(" ")[0][1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 23 or minutes > 59:  # noqa: PLR2004  - RFC 3339's time-hour and time-minute
        return None
    return (hours * 60 + minutes) * (-1 if zone[0] == "-" else 1)


def _may_leap(at: datetime) -> bool:
    """RFC 3339 section 5.7: leap seconds end a month, in UTC."""
    try:
        after = at + timedelta(seconds=1)
    except OverflowError:
        return False
    return (after.day, after.hour, after.minute, after.second) == (1, 0, 0, 0)


def _exactness(stamp: Stamp) -> int:
    return _RANKS[stamp.unit]


def _wall(stamp: Stamp, offset: int | None) -> datetime:
    """Read the clock at ``offset`` minutes from UTC, still marked as UTC."""
    return stamp.at + timedelta(minutes=offset or 0)


def _is_day_of(coarse: Stamp, fine: Stamp) -> bool:
    """Compare calendars: the coarser one's zone where both are zoned, else each one's own words."""
    both = coarse.offset is not None and fine.offset is not None
    if both and coarse.unit == fine.unit:
        return coarse.at == fine.at
    zone = coarse.offset if both else fine.offset
    return _cut(_wall(fine, zone), coarse.unit) == _wall(coarse, coarse.offset)


def _is_cut_of(coarse: datetime, fine: datetime, unit: Unit) -> bool:
    cut = _cut(fine, unit)
    if cut == coarse:
        return True
    half = fine - cut >= timedelta(milliseconds=500)
    return unit == "second" and half and coarse - cut == timedelta(seconds=1)


def _cut(moment: datetime, unit: Unit) -> datetime:
    """Truncate to ``unit``."""
    if unit == "microsecond":
        return moment
    if unit == "millisecond":
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    if unit == "second":
        return moment.replace(microsecond=0)
    if unit == "minute":
        return moment.replace(second=0, microsecond=0)
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit == "day":
        return day
    return day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone has no reading in UTC")
    return moment.astimezone(UTC)
