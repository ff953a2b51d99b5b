"""Numbers, times and foreign words as a terminal shows them. Pure.

What a site wrote may hold escape sequences that move the cursor or rename the window: nothing of
it reaches a terminal before ``clean``.
"""

from __future__ import annotations

import re
import unicodedata

from storage.wording import count

__all__ = ["SHOWN", "clean", "count", "duration", "inert", "pace", "size"]

#: Characters of a foreign text that are shown; the whole stands in the archive.
SHOWN = 300

#: DEL and the control characters past ASCII, line ends of Unicode, and what turns text around.
_LIVE = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_STEPS = ("bytes", "KiB", "MiB", "GiB", "TiB")
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def clean(text: str, most: int = SHOWN) -> str:
    """Make ``text`` one line without control or formatting characters, at most ``most`` long."""
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return "".join(_visible(char) for char in cut)


def inert(json: str) -> str:
    """Return JSON text that drives no terminal: the same value, such characters escaped.

    JSON itself escapes only those below a space (RFC 8259 section 7).
    """
    return json if json.isascii() and "\x7f" not in json else _LIVE.sub(_escaped, json)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _visible(char: str) -> str:
    if char in "\t\n\r":
        return " "
    # Cc: terminal escapes; Cf: text that runs backwards; Cs: lone surrogates; Zl, Zp: line breaks
    return "�" if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char


def size(number: float) -> str:
    """Write a number of bytes in the unit that leaves three digits: "12.3 MiB"."""
    step = 0
    while number >= 1024 and step < len(_STEPS) - 1:  # noqa: PLR2004  - KiB, MiB …
        number, step = number / 1024, step + 1
    return f"{number:.0f} {_STEPS[step]}" if step == 0 else f"{number:.1f} {_STEPS[step]}"


def pace(rate: float) -> str:
    """Write a bound of pace: "at most 1 request/s", "at most 0.5 requests/s"."""
    return f"at most {rate:g} {'request' if rate == 1 else 'requests'}/s"


def duration(seconds: float) -> str:
    """Write ``seconds`` in its largest units: "0.4 s", "4 s", "3 min 20 s", "2 h 5 min"."""
    whole = max(0, round(seconds))
    if 0 < seconds < 1:
        return f"{seconds:.1f} s"
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return _two(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _two(whole, _HOUR, "h", _MINUTE, "min")
    return _two(whole, _DAY, "d", _HOUR, "h")


def _two(whole: int, unit: int, name: str, less: int, lesser: str) -> str:
    rest = whole % unit // less
    return f"{whole // unit} {name} {rest} {lesser}" if rest else f"{whole // unit} {name}"
