"""Redirects, judged: where an answer points to, and whether that may be followed.

Pure. RFC 9110 section 15.4 says which statuses redirect, section 10.2.2 what Location means.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from crawler.urls import MAX_URL, normalise

#: Statuses whose Location is followed; 300 and 304 are answers.
FOLLOWED = frozenset({301, 302, 303, 307, 308})
#: Characters of a bad Location that a message quotes: enough to recognise it.
_QUOTED = 100
#: RFC 3986 section 3.2: what stands before an "@" in the authority; credentials are not quoted.
_USER_INFO = re.compile(r"//[^/?#]*@")


class BadRedirect(ValueError):
    """A redirect that leads nowhere; the message says why, in words."""


def target(location: str, url: str) -> str:
    """Resolve a Location value that ``url`` answered with; raises BadRedirect."""
    reference = location.strip()
    absolute = normalise(reference, url)
    if absolute is None:
        if len(reference) > MAX_URL:
            raise BadRedirect(f"it redirects to a URL of {len(reference):,} characters")
        if _USER_INFO.search(reference):
            raise BadRedirect("it redirects to a URL with a name or password in it")
        shown = ascii(reference[:_QUOTED])
        raise BadRedirect(f"it redirects to {shown}, which is no http or https URL")
    return absolute


def check(following: str, seen: Collection[str], limit: int) -> None:
    """Refuse a circle and more than ``limit`` hops; ``seen`` are the URLs asked so far."""
    if following in seen:
        raise BadRedirect(f"it redirects in a circle, back to {following}")
    if len(seen) > limit:
        raise BadRedirect(f"it redirects more than {limit} times")
