"""Answers made smaller for clients that can take them so (RFC 9110 section 12.5.3). Pure."""

from __future__ import annotations

from isal import igzip
from msgspec import structs

from storage.web.answer import Answer

#: Bytes from which on compressing is worth its own head.
_LEAST = 1_024
_KINDS = (
    "text/",
    "application/json",
    "application/xml",
    "application/atom+xml",
    "application/link-format",
    "application/x-ndjson",
)


def zipped(answer: Answer, accepted: str) -> Answer:
    """Return the answer, gzipped where it is long text of ours and the client takes gzip.

    What a site sent keeps the coding it came with.
    """
    plain = answer.policy == "frame" or not answer.content_type.startswith(_KINDS)
    if plain or not answer.body:
        return answer
    vary = (*answer.headers, ("Vary", "accept-encoding"))
    words = [one.strip().lower() for one in accepted.split(",")]
    if len(answer.body) < _LEAST or "gzip" not in [one.partition(";")[0] for one in words]:
        return structs.replace(answer, headers=vary)
    if "gzip;q=0" in [one.replace(" ", "") for one in words]:
        return structs.replace(answer, headers=vary)
    body = igzip.compress(answer.body, 1)
    return structs.replace(answer, body=body, headers=(*vary, ("Content-Encoding", "gzip")))
