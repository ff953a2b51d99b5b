"""The routes described for programs, as OpenAPI 3.1: made of the routes themselves.

A parameter has one meaning and one form wherever it stands, so each is described here once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus

import msgspec

from storage.web.answer import HTML, JSON, Answer
from storage.web.reading import ThreadArchive
from storage.web.request import MOST_CHARACTERS, MOST_NUMBER, MOST_URL, Request
from storage.web.route import Answering, Route

TEXT = "text/plain; charset=utf-8"
_ERRORS = {"page": HTML, "json": JSON, "text": TEXT}
#: What a request may be refused with (RFC 9110 section 15), and what all answers share.
_REFUSED = {
    "400": "Something in the request is wrong: a sentence says what",
    "404": "The archive has no such thing",
    "410": "It was forgotten, and why",
    "503": "Too much at once, or the archive can't be read: ask again later",
}


def _words(meaning: str, least: int = 0) -> dict[str, object]:
    return {
        "description": meaning,
        "schema": {
            "type": "string",
            "minLength": least,
            "maxLength": MOST_CHARACTERS,
            "pattern": "^[^\\u0000-\\u001f\\u007f]*$",
        },
    }


def _form(meaning: str, **schema: object) -> dict[str, object]:
    return {"description": meaning, "schema": schema}


_DATE = {"type": "string", "format": "date"}
#: A form sends what was left empty, too.
_DATE_OR_NONE = [{"type": "string", "enum": [""]}, _DATE]
_MOMENTS = [{"type": "string", "format": "date-time"}, _DATE]
_NUMBER = {"type": "string", "pattern": "^[0-9]{1,9}$"}
_COUNT: dict[str, object] = {"type": "integer", "minimum": 0, "maximum": MOST_NUMBER}
#: A day that every month has, so that what fits the pattern is a moment.
_DIGITS = (
    "^(19[0-9]{2}|20[0-9]{2})(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])"
    "([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]$"
)

#: Every parameter of a path or a query, by its name.
PARAMETERS: dict[str, dict[str, object]] = {
    "site": _words("A site's name", 1),
    "slug": _words("An article's slug", 1),
    "when": _form("UPDATED_AT[.rN], a moment, or a number", anyOf=[*_MOMENTS, _NUMBER]),
    "format": _words("html, markdown, text, jsonld, json …", 1),
    "moment": _form("YYYYMMDDhhmmss, UTC", type="string", pattern=_DIGITS),
    "url": _form(
        "An original URL, as it is or percent-encoded as a whole",
        type="string", maxLength=MOST_URL, pattern="^https?://[a-z0-9.-]+/[A-Za-z0-9/._~-]*$",
    ),
    "q": _words("Words that an article has"),
    "language": _words("An article's language"),
    "topic": _words("One of its topics"),
    "entity": _words("One of its entities"),
    "finding": _words("A kind of finding of its newest snapshot"),
    "state": _form("Still there, or gone", type="string", enum=["", "here", "gone"]),
    "from": _form("A first date or moment; in /compare the older snapshot", anyOf=_DATE_OR_NONE),
    "to": _form("A last date or moment; in /compare the newer snapshot", anyOf=_DATE_OR_NONE),
    "before": _form("A sequence number to go back from", **_COUNT),
    "after": _form("Where a list goes on", type="string", pattern="^[0-9]{1,17}[.][0-9]{1,17}$"),
    "raw": _words("There: the source"),
    "whole": _words("There: unchanged lines too"),
    "matchType": _form("Which URLs", type="string", enum=["exact", "prefix", "host", "domain"]),
    "closest": _form(
        "YYYYMMDDhhmmss: what is nearest comes first", type="string", pattern=f"^$|{_DIGITS}"
    ),
    "sort": _form("The order of lines", type="string", enum=["default", "closest", "reverse"]),
    "limit": _form("Lines at most, 2,000 of them", **_COUNT),
    "filter": _form(
        "[!][=|~]field:words, may stand more than once",
        type="array", items={"type": "string", "pattern": "^!?=?(mime|status|url):[a-z0-9/.]*$"},
        maxItems=10,
    ),
    "fl": _words("Fields, with commas between"),
    "fields": _words("Fields, with commas between"),
    "output": _form("In which form", type="string", enum=["text", "cdxj", "json"]),
    "page": _form("Which page of a long answer, from 0", **_COUNT),
    "showNumPages": _words("1, true or yes: how many pages there are"),
    "segment": _words("A segment's file name", 1),
    "past": _words("The slug that a page of a list begins behind"),
}  # fmt: skip
#: Those of a query that are read in another way than in a path.
IN_QUERY: dict[str, dict[str, object]] = {
    "url": _form(
        "Whose captures: a URL, also without its scheme, or with a * at its end",
        type="string", maxLength=MOST_URL, pattern="^[!-~][^\\u0000-\\u001f\\u007f]*$",
    ),
}  # fmt: skip
#: Every header field without which a route refuses.
FIELDS: dict[str, dict[str, object]] = {
    "Range": _form(
        "One record: bytes=OFFSET-END", type="string", pattern="^bytes=[0-9]{1,18}-[0-9]{0,18}$"
    ),
}


def described(routes: Iterable[Route]) -> Answering:
    """Return the function that answers with the routes' description."""
    value = {
        "openapi": "3.1.0",
        "info": {
            "title": "slugline serve",
            "version": "1",
            "description": "A mirror of articles with their history. Read-only: GET and HEAD.",
        },
        "paths": {route.path: {"get": _operation(route)} for route in routes},
    }
    body = msgspec.json.encode(value)

    def answer(_reading: ThreadArchive, _request: Request) -> Answer:
        return Answer(body=body, content_type=JSON)

    return answer


def _operation(route: Route) -> dict[str, object]:
    parts = re.findall(r"\{(\w+)\}", route.path)
    return {
        "summary": route.about,
        "parameters": [
            *({"name": name, "in": "path", "required": True, **PARAMETERS[name]} for name in parts),
            *(_asked(route, name) for name in route.query),
            *(
                {"name": name, "in": "header", "required": True, **FIELDS[name]}
                for name in route.needs
                if name not in route.query
            ),
        ],
        "responses": _answers(route),
    }


def _asked(route: Route, name: str) -> dict[str, object]:
    known = IN_QUERY.get(name) or PARAMETERS[name]
    if name in route.needs:
        return {"name": name, "in": "query", "required": True, **known}
    return {"name": name, "in": "query", **_optional(known)}


def _optional(parameter: dict[str, object]) -> dict[str, object]:
    """Return a parameter as a form sends it where nobody wrote anything: empty."""
    schema = parameter["schema"]
    if isinstance(schema, dict) and schema.get("minLength"):
        return {**parameter, "schema": {**schema, "minLength": 0}}
    return parameter


def _answers(route: Route) -> dict[str, object]:
    error = _ERRORS[route.errors]
    found: dict[str, object] = {"200": _answer(route.about, *route.gives)}
    if route.redirects:
        found["302"] = _answer("Where it is")
    for also in map(HTTPStatus, route.statuses):
        kinds = (error,) if also >= HTTPStatus.BAD_REQUEST else route.gives
        found[str(also.value)] = _answer(also.phrase, *kinds)
    found |= {status: _answer(why, error) for status, why in _REFUSED.items()}
    # What can't be read as a request is refused before its route is known.
    found["400"] = _answer(_REFUSED["400"], error, HTML)
    return found


def _answer(about: str, *kinds: str) -> object:
    found: dict[str, object] = {"description": about}
    if kinds:
        found["content"] = {kind: {} for kind in kinds}
    return found
