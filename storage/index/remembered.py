"""What runs remember in the index for later ones: entries, validators, notes, and the runs.

Operational, and apart from what follows of the segments: a reindex may lose it. SQL in, values
out, as in queries.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from storage.index.packing import mark_of, unpacked
from storage.index.reader import Reader, where
from storage.index.rows import Row, from_micros, moment_or_none, to_json, values_of
from storage.model import EntryState, Validator


class RunRow(Struct, frozen=True, kw_only=True):
    """One run; ``continues_since`` is the start of the unfinished run that it went on with."""

    id: str
    command: str
    scopes: tuple[str, ...]
    started_at: datetime
    continues_since: datetime | None
    finished_at: datetime | None
    finished: bool
    summary: dict[str, Any]


def site_entries(index: Reader, site: str) -> dict[str, EntryState]:
    """Return what runs learned of a site's entry URLs, by URL."""
    rows = index.ask("SELECT * FROM entries WHERE site = :site ORDER BY url", site=site)
    return {row["url"]: _entry(row) for row in rows}


def failing_entries(index: Reader, site: str | None) -> list[EntryState]:
    """Return the entries that could not be had when last asked for, by site and URL."""
    wanted = ["verdict = 'failed'", *([] if site is None else ["site = :site"])]
    rows = index.ask("SELECT * FROM entries", where(wanted), "ORDER BY site, url", site=site)
    return [_entry(row) for row in rows]


def _entry(row: Row) -> EntryState:
    with values_of("entries"):
        moments = {
            "checked_at": from_micros(row["checked_at"]),
            "verified_at": moment_or_none(row["verified_at"]),
        }
        return msgspec.convert(row | moments, EntryState)


def site_memory(index: Reader, site: str) -> dict[str, str]:
    """Return what a site's runs remember, by key."""
    rows = index.ask("SELECT key, value FROM memory WHERE site = :site", site=site)
    return {row["key"]: row["value"] for row in rows}


def remembered(index: Reader, site: str, key: str) -> str | None:
    """Return what a site's runs remember under ``key``."""
    row = index.ask_one(
        "SELECT value FROM memory WHERE site = :site AND key = :key", site=site, key=key
    )
    return None if row is None else str(row["value"])


def stored_validators(index: Reader, urls: Collection[str]) -> dict[str, Validator]:
    """Return the validators kept for these URLs, by URL."""
    asked = {mark_of(url): url for url in urls}
    found = {}
    for row in index.matching("validators", ("mark",), [(mark,) for mark in asked]):
        with values_of("validators"):
            told = row | {"url": asked[row["mark"]], "digest": unpacked(row["digest"])}
            found[told["url"]] = msgspec.convert(told, Validator)
    return found


def all_runs(index: Reader) -> list[RunRow]:
    """Every run, newest first."""
    rows = index.ask("SELECT * FROM runs ORDER BY started_at DESC, id DESC")
    return [_run(row) for row in rows]


def newest_run(index: Reader, scopes: Sequence[str]) -> RunRow | None:
    """Return the newest run over these scopes, in whatever order it named them."""
    if len(scopes) != 1:
        return next((run for run in all_runs(index) if set(run.scopes) == set(scopes)), None)
    row = index.ask_one(
        "SELECT * FROM runs WHERE scopes = :scopes ORDER BY started_at DESC, id DESC",
        scopes=to_json(scopes),
    )
    return None if row is None else _run(row)


def _run(row: Row) -> RunRow:
    with values_of("runs"):
        made = {
            "scopes": msgspec.json.decode(row["scopes"], type=tuple[str, ...]),
            "started_at": from_micros(row["started_at"]),
            "continues_since": moment_or_none(row["continues_since"]),
            "finished_at": moment_or_none(row["finished_at"]),
            "finished": bool(row["finished"]),
            "summary": msgspec.json.decode(row["summary"], type=dict[str, Any]),
        }
        return msgspec.convert(row | made, RunRow)
