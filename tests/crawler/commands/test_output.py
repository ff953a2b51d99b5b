"""Lines for pipes, tables for terminals, and nothing from a site that drives a terminal."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from crawler.commands.output import key_text, table

ROWS = [("a", "first \x1b[31mred\x07"), ("b", "tab\there")]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_pipe_gets_tab_separated_lines(capsys: pytest.CaptureFixture[str]) -> None:
    table(("SLUG", "TITLE"), iter(ROWS))
    assert capsys.readouterr().out == "SLUG\tTITLE\na\tfirst \ufffd[31mred\ufffd\nb\ttab here\n"


def test_a_terminal_gets_a_table_without_foreign_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    table(("SLUG", "TITLE"), ROWS)
    assert "SLUG" in screen.getvalue()
    assert "[31mred" in screen.getvalue()
    assert "\x1b[31mred" not in screen.getvalue()
    assert "\x07" not in screen.getvalue()


def test_a_long_slug_is_folded_on_a_terminal_and_never_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    table(("SLUG", "TITLE"), [("key", "x" * 300)])
    assert screen.getvalue().count("x") == 300


@pytest.mark.parametrize(
    ("moment", "revision", "text"),
    [
        (datetime(2026, 6, 19, 9, 13, 50, 166750, UTC), 0, "2026-06-19T09:13:50.166750Z.r0"),
        (datetime(2026, 6, 19, 9, 13, 50, 0, UTC), 2, "2026-06-19T09:13:50Z.r2"),
    ],
)
def test_a_key_is_written_as_diff_takes_it(moment: datetime, revision: int, text: str) -> None:
    assert key_text(moment, revision) == text


def test_a_reader_that_has_enough_ends_it_quietly(mirror: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    code = "from crawler.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "list", "--json", "--mirror", str(mirror)],
        stdout=write, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (0, b"")
