"""Front matter: the block of fields before a Markdown document's words.

YAML between ``---`` lines, TOML between ``+++`` lines, or a JSON object. YAML is read with every
scalar a string, so that a date keeps the zone and precision it was written with; tags build
nothing, aliases share and are never expanded. Pure; no exception leaves it: a block that does
not parse is read line by line, with a finding. Most blocks are plain (see `plain_yaml`) and need
no library.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from crawler.formats.plain_yaml import read_plain
from storage.model import Finding

#: Characters of a front matter block; the longest seen, with embedded summaries, have about 20,000.
MAX_BLOCK = 256 * 1024
#: Levels of nesting in YAML. PyYAML builds its nodes by recursion in C, which has no other bound.
MAX_DEPTH = 50

_BLOCK = re.compile(
    r"(---|\+\+\+)[ \t]*\n(.*?)^(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_INDICATOR = re.compile(r"[-?:](?=\s|\Z)")
_LINE = re.compile(r"^([A-Za-z_][\w.-]*):[ \t]+(\S.*)$", re.MULTILINE)
#: A dotted key (TOML 1.0, Keys) of more parts than MAX_DEPTH.
_DOTTED = re.compile(
    r"(?<![\w\-\"'])(?:(?:[\w-]++|\"[^\"\n]*+\"|'[^'\n]*+')[ \t]*+\.[ \t]*+)"
    rf"{{{MAX_DEPTH}}}"
)
_QUOTES = "\"'"
#: What YAML takes for nothing; TOML has no null.
_NOTHING = frozenset({"", "~", "null"})


class FrontMatter(Struct, frozen=True, kw_only=True):
    """The fields, the text after them, and a finding where the block was broken."""

    fields: Mapping[str, Any] = field(default_factory=dict)
    rest: str
    findings: tuple[Finding, ...] = ()


def split_front_matter(text: str) -> FrontMatter:
    """Part ``text`` (line ends are LF) into its front matter, if it has one, and the rest."""
    if text.startswith("{"):
        return _json_block(text)
    found = _BLOCK.match(text, 0, MAX_BLOCK)
    if found is None:
        return FrontMatter(rest=text)
    fence, block = found.groups()
    rest = text[found.end() :]
    try:
        fields = _yaml(block) if fence == "---" else _toml(block)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        return _by_line(block, rest, error)
    if fields is None or isinstance(fields, dict):
        return FrontMatter(fields=_strings(fields or {}), rest=rest)
    # Two rules around a paragraph: no fields, so the text is all the document's own.
    return FrontMatter(rest=text)


def _json_block(text: str) -> FrontMatter:
    try:
        fields, end = json.JSONDecoder().raw_decode(text[:MAX_BLOCK])
    except (ValueError, RecursionError):
        return FrontMatter(rest=text)
    return FrontMatter(fields=fields, rest=text[end:].removeprefix("\n"))


def _yaml(block: str) -> Any:
    plain = read_plain(block)
    return _by_library(block) if plain is None else plain


def _by_library(block: str) -> Any:
    import yaml

    try:
        if _may_nest(block):
            _check_depth(yaml.parse(block, Loader=yaml.CBaseLoader))
        # CBaseLoader makes strings, lists and dicts of strings and nothing else.
        return yaml.load(block, Loader=yaml.CBaseLoader)  # noqa: S506  - safer than SafeLoader
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _may_nest(block: str) -> bool:
    """Say whether ``block`` has as many marks as a nesting past MAX_DEPTH takes; most have few.

    A collection opens at an indicator before a blank (YAML 1.2 section 6.1 to 8.2), or at a
    bracket, which a pair without braces may follow (7.4.1).
    """
    brackets = block.count("[") + block.count("{")
    return 2 * brackets + len(_INDICATOR.findall(block)) >= MAX_DEPTH


def _check_depth(events: Iterable[object]) -> None:
    """Raise ValueError where YAML's ``events`` nest deeper than MAX_DEPTH."""
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _toml(block: str) -> Any:
    # tomllib takes the cube of a dotted key's parts.
    if _DOTTED.search(block):
        raise ValueError(f"it nests deeper than {MAX_DEPTH} levels")
    return tomllib.loads(block)


def _strings(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Undo TOML's dates, so that one reader judges all; drop YAML's empty values."""
    said: dict[str, Any] = {}
    for name, value in fields.items():
        if isinstance(value, str):
            if value not in _NOTHING:
                said[str(name)] = value
        elif isinstance(value, dt.date):
            said[str(name)] = value.isoformat()
        elif value is not None:
            said[str(name)] = value
    return said


def _by_line(block: str, rest: str, error: Exception) -> FrontMatter:
    """Read ``name: value`` lines: an unquoted colon in a title is the usual fault."""
    fields: dict[str, str] = {}
    for name, line in _LINE.findall(block):
        value = line.strip()
        quoted = value[0] in _QUOTES and value[-1] == value[0] and len(value) > 1
        fields.setdefault(name, value[1:-1] if quoted else value)
    why = " ".join(str(error).split())
    detail = f"its front matter does not parse and was read line by line: {why}"[:300]
    finding = Finding(kind="front-matter", detail=detail, formats=("markdown",))
    return FrontMatter(fields=_strings(fields), rest=rest, findings=(finding,))
