"""Options that commands share."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from crawler.cli import app
from tests.crawler.commands.calling import lines


def test_the_environment_names_the_mirror(mirror: Path) -> None:
    result = CliRunner().invoke(app, ["list", "--json"], env={"SLUGLINE_MIRROR": str(mirror)})
    assert len(lines(result)) == 4


def test_a_flag_wins_over_the_environment(mirror: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(
        app, ["list", "--json", "--mirror", str(mirror)], env={"SLUGLINE_MIRROR": str(tmp_path)}
    )
    assert len(lines(result)) == 4
