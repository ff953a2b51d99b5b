"""Calls the command line in this process, and reads what it says."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from crawler.cli import app

#: The key of every snapshot in the small archive.
KEY = "2026-06-19T09:13:50.166750Z"


def slugline(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def lines(result: Result) -> list[dict[str, object]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def complaint(result: Result, code: int = 2) -> str:
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith("slugline: ")
    assert result.stderr.count("\n") == 1
    return result.stderr
