"""list, log, show, status: what they print, for people and for programs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from msgspec import structs

from storage.writer import Writer
from tests.crawler.commands.archives import BASE, draft, fill
from tests.crawler.commands.calling import KEY, complaint, lines, slugline


@pytest.mark.parametrize("when", ["yesterday", "2026-13-01", "03/04/2026", ""])
def test_a_wrong_when_is_refused(when: str, mirror: Path) -> None:
    said = complaint(slugline("show", "alpha", "--at", when, "--mirror", mirror))
    assert said.startswith("slugline: --at: ")


def test_list_shows_each_articles_newest_snapshot(mirror: Path) -> None:
    rows = lines(slugline("list", "--json", "--mirror", mirror))
    assert [(row["site"], row["slug"], row["revision"]) for row in rows] == [
        ("example.net", "shared", 0),
        ("example.org", "alpha", 1),
        ("example.org", "beta", 0),
        ("example.org", "shared", 0),
    ]


def test_list_shows_captured_originals_only_when_asked(mirror: Path) -> None:
    rows = lines(slugline("list", "--canonicals", "--json", "--mirror", mirror))
    assert "origin.example" in {row["site"] for row in rows}


def test_list_is_tab_separated_in_a_pipe(mirror: Path) -> None:
    shown = slugline("list", "--site", "example.net", "--mirror", mirror).stdout.splitlines()
    assert shown == [
        "UPDATED\tSLUG\tFORMATS\tSTATE\tTITLE",
        f"{KEY}\tshared\thtml markdown\tcomplete\tOn shared",
    ]


def test_an_unknown_site_is_named_with_those_there_are(mirror: Path) -> None:
    said = complaint(slugline("list", "--site", "example.com", "--mirror", mirror))
    assert "example.net, example.org" in said


def test_log_has_the_contracts_keys_in_order(mirror: Path) -> None:
    rows = lines(slugline("log", "alpha", "--json", "--mirror", mirror))
    assert list(rows[0]) == [
        "site", "slug", "url", "updated_at", "revision", "reason", "observed_at", "state",
        "formats", "missing", "findings", "title",
    ]  # fmt: skip
    assert [row["revision"] for row in rows] == [0, 1]
    assert [row["updated_at"] for row in rows] == [KEY, KEY]


def test_log_writes_keys_that_diff_takes_back(mirror: Path) -> None:
    rows = slugline("log", "alpha", "--mirror", mirror).stdout.splitlines()[1:]
    keys = [row.split("\t")[0] for row in rows]
    assert keys == [f"{KEY}.r0", f"{KEY}.r1"]
    assert slugline("diff", "alpha", *keys, "--mirror", mirror).stdout


def test_log_tells_a_person_what_is_missing(mirror: Path) -> None:
    shown = slugline("log", "beta", "--mirror", mirror).stdout
    assert "partial: no markdown, date-only" in shown


def test_show_prints_the_record(mirror: Path) -> None:
    pretty = slugline("show", "alpha", "--mirror", mirror)
    (line,) = lines(slugline("show", "alpha", "--json", "--mirror", mirror))
    assert json.loads(pretty.stdout) == line
    assert list(line)[:4] == ["slug", "title", "summary", "body_md"]
    assert line["updated_at"] == KEY


def test_show_prints_a_formats_exact_bytes(mirror: Path) -> None:
    result = slugline("show", "alpha", "--format", "markdown", "--mirror", mirror)
    assert result.stdout_bytes == b"# alpha\n\nSecond words.\n"


def test_show_takes_a_url_for_a_slug(mirror: Path) -> None:
    url = "https://example.org/news/alpha"
    assert slugline("show", url, "--json", "--mirror", mirror).exit_code == 0


@pytest.mark.parametrize(
    "flags", [["--at", "2026-06-19T10:30:00Z"], ["--revision", "0"], ["--at", "2026-06-19 10:20"]]
)
def test_show_goes_back(flags: list[str], mirror: Path) -> None:
    result = slugline("show", "alpha", "--format", "markdown", *flags, "--mirror", mirror)
    assert result.stdout_bytes == b"# alpha\n\nFirst words.\n"


def test_show_resolves_a_canonical_on_another_host(mirror: Path) -> None:
    result = slugline(
        "show", "alpha", "--revision", "0", "--format", "canonical", "--mirror", mirror
    )
    assert result.exit_code == 0, result.stderr
    assert b"The original." in result.stdout_bytes
    said = complaint(slugline("show", "beta", "--format", "canonical", "--mirror", mirror))
    assert "beta names no original" in said


def test_what_is_not_there_is_named(mirror: Path) -> None:
    for command in (["show", "nope"], ["show", "beta", "--format", "markdown"],
                    ["show", "alpha", "--revision", "7"], ["log", "nope"],
                    ["show", "alpha", "--at", "2020-01-01"]):  # fmt: skip
        complaint(slugline(*command, "--mirror", mirror))


def test_what_was_forgotten_is_said_to_be(tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path))
    reason = "\x1b[31mA court asked"
    slugline("forget", "alpha", "--reason", reason, "--mirror", tmp_path)
    for command in (["show", "alpha"], ["show", "https://example.org/news/alpha"],
                    ["show", "alpha", "--revision", "0"], ["diff", "alpha", "1", "2"]):  # fmt: skip
        said = complaint(slugline(*command, "--mirror", tmp_path))
        assert "no snapshot of 'alpha' on example.org: it was forgotten on 20" in said
        assert said.endswith(r"Z, for the reason '\x1b[31mA court asked'" + "\n")


def test_a_slug_on_several_sites_needs_one_of_them(mirror: Path) -> None:
    said = complaint(slugline("show", "shared", "--mirror", mirror))
    assert "example.net" in said
    assert "example.org" in said
    chosen = slugline("show", "shared", "--site", "example.net", "--mirror", mirror)
    assert chosen.exit_code == 0


def test_status_counts(mirror: Path) -> None:
    rows = {row["site"]: row for row in lines(slugline("status", "--json", "--mirror", mirror))}
    counts = [rows["example.org"][name] for name in ("articles", "snapshots", "partial")]
    assert counts == [3, 4, 1]
    assert "last run: " in slugline("status", "--mirror", mirror).stdout


def test_log_of_all_articles_is_a_table(mirror: Path) -> None:
    first, *rows = slugline("log", "--mirror", mirror).stdout.splitlines()
    assert first.split("\t")[:3] == ["SLUG", "UPDATED", "WHY"]
    assert sorted(row.split("\t")[0] for row in rows) == [
        "alpha",
        "alpha",
        "beta",
        "shared",
        "shared",
    ]


async def test_an_original_that_is_not_here_is_said(tmp_path: Path) -> None:
    async with Writer(tmp_path) as writer:
        await writer.begin_run("mirror", ("https://example.org/",), BASE)
        await writer.commit(draft("copy", "Words.", source="https://origin.example/1"))
        empty = {"html": "403", "markdown": "403"}
        origin = draft("1", "", site="origin.example", implicit=True, missing=empty)
        await writer.flush()
        asked = ("show", "copy", "--format", "canonical", "--mirror", tmp_path)
        told = complaint(await asyncio.to_thread(slugline, *asked))
        assert "the original of copy is not in this mirror: https://origin.example/1" in told
        url = "https://origin.example/1"
        named = structs.replace(origin.manifest, url=url)
        await writer.commit(structs.replace(origin, manifest=named))
        await writer.flush()
        told = complaint(await asyncio.to_thread(slugline, *asked))
        assert f"the original at {url} was captured without a body" in told
