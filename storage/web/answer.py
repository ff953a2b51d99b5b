"""What goes back to a client: status, fields, bytes, and how little a browser may do with them.

Content-Security-Policy is CSP Level 3; Referrer-Policy, X-Content-Type-Options (WHATWG Fetch) and
Cross-Origin-* go with every answer.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

HTML = "text/html; charset=utf-8"
JSON = "application/json"

#: What we wrote ourselves: our style sheet, frames of our own and forms to ourselves; no scripts.
PAGE = (
    "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
#: What a site wrote: no origin, no scripts, no forms, no pop-ups, and nothing from any network.
FRAME = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
_POLICIES = {"page": PAGE, "frame": FRAME}

#: With every answer, beside its own Content-Security-Policy.
ALWAYS = (
    ("Server", "slugline"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-DNS-Prefetch-Control", "off"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "interest-cohort=()"),
)


class Answer(Struct, frozen=True, kw_only=True):
    """An answer; ``policy``: whose words these are, ours (``page``) or a site's (``frame``)."""

    body: bytes = b""
    content_type: str = HTML
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    policy: Literal["page", "frame"] = "page"

    def fields(self) -> list[tuple[str, str]]:
        """Return every header field but Content-Length; what this answer says itself is kept."""
        own = [("Content-Type", self.content_type), *self.headers]
        given = {name.lower() for name, _ in own}
        fields = [*own, *(field for field in ALWAYS if field[0].lower() not in given)]
        fields.append(("Content-Security-Policy", _POLICIES[self.policy]))
        if "cache-control" not in given:
            # It may have changed by the next time: a run writes while we read.
            fields.append(("Cache-Control", "no-cache"))
        if self.policy == "page":
            fields.append(("X-Frame-Options", "DENY"))
        return fields


def json_answer(
    value: object, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """Return a value as JSON."""
    body = msgspec.json.encode(value) + b"\n"
    return Answer(body=body, content_type=JSON, status=status, headers=headers)


def redirect(to: str, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return a 302 to an address of ours; ``to`` is a URL, percent-encoded."""
    return Answer(status=302, content_type="text/plain", headers=(("Location", to), *headers))
