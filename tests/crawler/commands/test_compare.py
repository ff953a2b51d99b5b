"""diff: any two snapshots, in the format that tells most."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from storage.writer import Writer
from tests.crawler.commands.archives import BASE, draft
from tests.crawler.commands.calling import KEY, complaint, lines, slugline
from tests.crawler.commands.terminal import at_terminal


def test_diff_compares_the_newest_two(mirror: Path) -> None:
    shown = slugline("diff", "alpha", "--mirror", mirror).stdout.splitlines()
    assert "-First words." in shown
    assert "+Second words." in shown
    assert "markdown" in shown[0]


@pytest.mark.parametrize("ends", [["1", "2"], [f"{KEY}.r0", f"{KEY}.r1"], ["1"]])
def test_diff_compares_any_two(ends: list[str], mirror: Path) -> None:
    result = slugline("diff", "alpha", *ends, "--format", "html", "--mirror", mirror)
    assert any(line.startswith("+<!doctype") for line in result.stdout.splitlines())


def test_diff_for_programs(mirror: Path) -> None:
    (found,) = lines(slugline("diff", "alpha", "--json", "--mirror", mirror))
    assert (found["format"], found["kind"]) == ("markdown", "text")


def test_diff_of_one_snapshot_says_so(mirror: Path) -> None:
    result = slugline("diff", "beta", "--mirror", mirror)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "one snapshot" in result.stderr


def test_diff_of_a_wrong_moment_is_refused(mirror: Path) -> None:
    complaint(slugline("diff", "alpha", "soon", "--mirror", mirror))


def test_diff_of_equal_bytes_says_so(mirror: Path) -> None:
    result = slugline("diff", "alpha", "1", "1", "--format", "html", "--mirror", mirror)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "html is the same, byte for byte, in both snapshots" in result.stderr


async def test_diff_of_snapshots_without_a_common_format_is_refused(tmp_path: Path) -> None:
    later = BASE + timedelta(hours=2)
    async with Writer(tmp_path) as writer:
        await writer.begin_run("mirror", ("https://example.org/",), BASE)
        await writer.commit(draft("tale", "Words.", missing={"html": "404"}))
        await writer.commit(draft("tale", "Words.", missing={"markdown": "404"}, observed=later))
        await writer.finish_run({}, finished=True)
    told = complaint(slugline("diff", "tale", "--mirror", tmp_path))
    assert "tale: the two snapshots have no format in common" in told


def test_diff_is_coloured_at_a_terminal(mirror: Path) -> None:
    code, sent = at_terminal("diff", "alpha", "--mirror", mirror)
    assert code == 0
    assert "\x1b[31m-First words.\x1b[0m" in sent
    assert "\x1b[32m+Second words.\x1b[0m" in sent
