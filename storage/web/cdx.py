"""What a CDX server is asked for and what it says, as pywb's clients know it. Pure.

The questions are those of pywb's CDX server API: url, matchType, from, to, closest, sort, limit,
filter, fl, output, page. A line is CDXJ (``urlkey timestamp {json}``) or JSON. Revisits come
resolved, as by ``resolveRevisits=true``: their type is that of the bytes, and ``orig.filename``,
``orig.offset`` and ``orig.length`` tell where these stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, TypeAlias, TypeVar, get_args

import msgspec
from msgspec import Struct
from pydantic_core import SchemaError, SchemaValidator, core_schema

from storage.surt import surt
from storage.times import parse_rfc3339
from storage.web import paths
from storage.web.request import MOST_URL, Request, wrong

Match: TypeAlias = Literal["exact", "prefix", "host", "domain"]
Order: TypeAlias = Literal["default", "closest", "reverse"]
Output: TypeAlias = Literal["text", "cdxj", "json"]
CdxLine: TypeAlias = dict[str, str]
T = TypeVar("T", bound=str)

MATCHES: tuple[Match, ...] = get_args(Match)
ORDERS: tuple[Order, ...] = get_args(Order)
OUTPUTS: tuple[Output, ...] = get_args(Output)

#: Lines of one answer: a manifest is read for each snapshot among them.
MOST_LINES = 2_000
#: Filters of one question, and characters of a pattern.
MOST_FILTERS = 10
_MOST_PATTERN = 200
#: Other names of fields, as pywb and the Wayback Machine use them.
_FIELDS = {"original": "url", "mimetype": "mime", "statuscode": "status", "key": "urlkey"}
_MOMENT = re.compile(r"\d{4,14}", re.ASCII)
_URL = re.compile(r"https?:/{1,2}", re.IGNORECASE)
#: The last moment of a span that is written less exactly; a month's last day is found by trying.
_PADDED = ("0101000000", "1231235959")


class CdxQuestion(Struct, frozen=True, kw_only=True):
    """What is asked: ``host`` with its port and ``path`` as written, path with its query.

    ``page`` None: from the first on; ``count``: only how many pages there are.
    """

    host: str
    path: str
    match: Match
    since: datetime | None
    until: datetime | None
    closest: datetime | None
    order: Order
    limit: int
    page: int | None
    fields: tuple[str, ...]
    filters: tuple[Callable[[CdxLine], bool], ...]
    output: Output
    count: bool


def read_question(request: Request) -> CdxQuestion:
    """Return what a request asks for. Raises Refusal."""
    url = request.text("url", MOST_URL)
    if not url:
        raise wrong("url names the URL whose captures are asked for.")
    match = _one_of(request, "matchType", MATCHES)
    if not request.text("matchType") and url.startswith("*."):
        url, match = url[2:], "domain"
    elif not request.text("matchType") and url.endswith("*"):
        url, match = url[:-1], "prefix"
    bare = _URL.sub("", url, count=1).partition("#")[0]
    host = re.split("[/?]", bare, maxsplit=1)[0]
    path = bare[len(host) :]
    asked = request.number("limit")
    fields = request.text("fl"), request.text("fields")
    return CdxQuestion(
        host=host.rpartition("@")[2].lower(),
        path=paths.uri(path) or "/",
        match=match,
        since=_moment(request, "from", end=False),
        until=_moment(request, "to", end=True),
        closest=_moment(request, "closest", end=False),
        order=_one_of(request, "sort", ORDERS),
        limit=MOST_LINES if not asked else min(asked, MOST_LINES),
        page=request.number("page"),
        fields=_fields(fields[0] or fields[1]),
        filters=_filters(text for name, text in request.every if name == "filter"),
        output=_one_of(request, "output", OUTPUTS),
        count=request.text("showNumPages").lower() in {"1", "true", "yes"},
    )


def _one_of(request: Request, name: str, known: tuple[T, ...]) -> T:
    """Return which of the known words a parameter is; where it was not given, the first."""
    text = request.text(name) or known[0]
    for one in known:
        if one == text:
            return one
    raise wrong(f"{name} is one of {', '.join(known)}, not {text[:40]!r}.")


def _moment(request: Request, name: str, *, end: bool) -> datetime | None:
    """Return a moment written in up to 14 digits, padded to its start or its end."""
    text = request.text(name)
    digits = re.sub(r"[-:TZ ]", "", text)
    if not text:
        return None
    if not _MOMENT.fullmatch(digits) or len(digits) % 2:
        raise wrong(f"{name} is a moment in up to 14 digits, YYYYMMDDhhmmss, not {text[:40]!r}.")
    padded = digits + _PADDED[end][len(digits) - 4 :]
    days = (padded[6:8],) if len(digits) != 6 or not end else ("31", "30", "29", "28")  # noqa: PLR2004  - YYYYMM
    for day in days:
        date, time = f"{padded[:4]}-{padded[4:6]}-{day}", padded[8:]
        stamp = parse_rfc3339(f"{date}T{time[:2]}:{time[2:4]}:{time[4:]}Z")
        if stamp is not None:
            return stamp.at
    raise wrong(f"{name}: there is no moment {text[:40]!r}.")


def _fields(text: str) -> tuple[str, ...]:
    named = [one.strip() for one in text.split(",")]
    return tuple(dict.fromkeys(_FIELDS.get(one, one) for one in named if one))


def _filters(texts: Iterable[str]) -> tuple[Callable[[CdxLine], bool], ...]:
    found = list(texts)
    if len(found) > MOST_FILTERS:
        raise wrong(f"At most {MOST_FILTERS} filters are taken.")
    return tuple(map(read_filter, found))


def read_filter(text: str) -> Callable[[CdxLine], bool]:
    """Return what ``[!][=|~]field:words`` lets through: contains, ``=`` is, ``~`` begins as.

    ``~`` takes a regular expression of the kind whose time is linear. Raises Refusal.
    """
    if len(text) > _MOST_PATTERN:
        raise wrong(f"A filter has at most {_MOST_PATTERN} characters.")
    keep = not text.startswith("!")
    rest = text.removeprefix("!")
    way = rest[:1] if rest[:1] in {"=", "~"} else ""
    name, colon, words = rest.removeprefix(way).partition(":")
    if not colon:
        name, words = "", name
    field = _FIELDS.get(name, name)
    fits = _fitting(way, words)

    def passes(line: CdxLine) -> bool:
        value = line.get(field, "") if field else cdxj(line, ())
        return fits(value) is keep

    return passes


def _fitting(way: str, words: str) -> Callable[[str], bool]:
    if way == "=":
        return lambda value: value == words
    if way == "":
        return lambda value: words in value
    try:
        # pydantic's patterns are Rust's: no backtracking, and a bounded size.
        pattern = SchemaValidator(core_schema.str_schema(pattern=f"^(?:{words})"))
    except SchemaError as error:
        raise wrong(f"{words[:80]!r} is no regular expression that is taken.") from error
    return pattern.isinstance_python


def host_key(host: str) -> str:
    """Return a host's part of a key: ``com,example``, with a port that is not the usual one."""
    return surt(f"http://{host}/").partition(")")[0]


def timestamp(moment: datetime) -> str:
    """Return a moment in 14 digits."""
    return f"{moment.astimezone(UTC):%Y%m%d%H%M%S}"


def as_text(line: CdxLine, question: CdxQuestion) -> str:
    """Return a line of the answer, with its end."""
    if question.output == "json":
        return _json({name: line[name] for name in question.fields or line if name in line}) + "\n"
    if question.fields and question.output != "cdxj":
        return " ".join(line.get(name) or "-" for name in question.fields) + "\n"
    return cdxj(line, question.fields) + "\n"


def cdxj(line: CdxLine, fields: tuple[str, ...]) -> str:
    """Return a line as CDXJ; ``fields`` of its JSON, none: all."""
    rest = {name: line[name] for name in fields or line if name in line}
    rest.pop("urlkey", None)
    rest.pop("timestamp", None)
    return f"{line['urlkey']} {line['timestamp']} {_json(rest)}"


def _json(value: Mapping[str, str]) -> str:
    return msgspec.json.encode(value).decode()
