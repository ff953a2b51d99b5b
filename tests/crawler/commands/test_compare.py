"""diff: any two snapshots, in the format that tells most."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crawler.commands.calling import KEY, complaint, lines, slugline


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
