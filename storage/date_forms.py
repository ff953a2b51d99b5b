"""The forms in which dates are written: grammars, and the names of days, months and zones.

RFC 3339 section 5.6, RFC 9110 section 5.6.7, RFC 5322 section 3.3 with its obsolete forms (4.3),
and the subsets of ISO 8601 that sites use. Patterns for the whole text; `times` reads by them.
"""

from __future__ import annotations

import re
from typing import Final

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS: Final = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
#: Months by every beginning of their names that is none of another's.
MONTH_NUMBERS: Final = {
    name[:length]: str(number)
    for number, name in enumerate(_MONTHS, 1)
    for length in range(len("jan"), len(name) + 1)
}
#: RFC 5322 section 4.3, in minutes from UTC; UTC itself is not in it but written everywhere.
ZONES: Final = {
    "UT": 0,
    "UTC": 0,
    "GMT": 0,
    "Z": 0,
    "EDT": -240,
    "EST": -300,
    "CDT": -300,
    "CST": -360,
    "MDT": -360,
    "MST": -420,
    "PDT": -420,
    "PST": -480,
}

RFC3339: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]"
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
#: What nearly every date is: RFC 3339 with neither a leap second nor more digits than are kept.
USUAL: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})"
)
_ISO_ZONE: Final = r"(?: ?([Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?(?: [A-Z]{3,5})?))?"
ISO_TIME: Final = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt]| )"
    r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]+))?)?" + _ISO_ZONE
)
ISO_BASIC: Final = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})[Tt]"
    r"([0-9]{2})([0-9]{2})(?:([0-9]{2})(?:[.,]([0-9]+))?)?" + _ISO_ZONE
)
ISO_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})([Zz]|[+-][0-9]{2}:[0-9]{2})?)?)?"
)
ISO_BASIC_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
MAIL: Final = re.compile(
    r"(?:([A-Za-z]{3,9}),? )?([0-9]{1,2}) ([A-Za-z]{3,9}) ([0-9]{2,4})"
    r"(?: ([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?"
    r"(?: ?([+-][0-9]{4}|[+-][0-9]{2}:[0-9]{2}|UT|[A-Za-z]|[A-Za-z]{3,5}))?)?(?: \([^()]*\))?"
)
_CLOCK: Final = r"([0-9]{2}):([0-9]{2}):([0-9]{2})"
IMF: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) ([A-Z][a-z]{2}) ([0-9]{4}) " + _CLOCK + " GMT"
)
RFC850: Final = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, ([0-9]{2})-([A-Z][a-z]{2})-([0-9]{2}) "
    + _CLOCK
    + " GMT"
)
ASCTIME: Final = re.compile(
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ([A-Z][a-z]{2}) ([0-9]{2}| [0-9]) " + _CLOCK + " ([0-9]{4})"
)
