"""Lines for pipes, tables for terminals, and nothing from a site that drives a terminal."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

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


def shown(monkeypatch: pytest.MonkeyPatch, *rows: tuple[str, ...], **options: Any) -> list[str]:
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", "60")
    table(("SLUG", "WHY", "TITLE"), rows, **options)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())
    return [line.rstrip() for line in plain.splitlines()]


def test_rows_too_wide_for_the_terminal_become_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    title = "a title of many words, and wider than the terminal that it is for"
    assert shown(monkeypatch, ("some-slug", "first", title), ("other", "", "short")) == [
        "SLUG  WHY  TITLE",
        "some-slug  first",
        "    a title of many words, and wider than the terminal that",
        "    it is for",
        "other  short",
    ]


def test_a_long_slug_is_never_cut_or_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    slug = "x-" * 100
    assert shown(monkeypatch, (slug, "first", "title"))[1:] == [slug, "    first  title"]


def test_columns_that_may_fold_keep_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, ("x" * 90, "first", "title"), folded={"SLUG": 12})
    assert lines[0].split() == ["SLUG", "WHY", "TITLE"]
    assert sum(line.count("x") for line in lines) == 90
    assert max(map(len, lines)) <= 60


def test_empty_cells_are_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown(monkeypatch, ("", "", ""), ("x" * 90, " ", ""))[1:] == ["x" * 90]


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
