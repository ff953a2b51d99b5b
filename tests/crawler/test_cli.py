"""The command line: its help, and what it does with bad input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.crawler.commands.calling import complaint, slugline
from tests.storage.drafts import article, stored

COMMANDS = (
    "mirror",
    "list",
    "log",
    "show",
    "diff",
    "status",
    "export",
    "reindex",
    "demo",
    "sync",
    "changes",
    "inspect",
    "init",
    "verify",
    "serve",
    "search",
    "worker",
    "schedule",
    "enqueue",
)


def test_it_says_its_version() -> None:
    assert slugline("--version").stdout.startswith("slugline ")


def test_help_names_every_command() -> None:
    shown = slugline("--help").stdout
    assert all(f"\n  {name} " in shown for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_commands_help_teaches_by_an_example(name: str) -> None:
    result = slugline(name, "--help")
    assert result.exit_code == 0
    assert "\n  Examples:\n    " in result.stdout
    assert f"slugline {name}" in result.stdout


#: What takes tens of milliseconds to load. typer itself loads pydantic to read its parameters.
HEAVY = {
    "aiohttp", "asyncio", "crawler.conductor", "crawler.config.settings", "feedparser", "lxml",
    "rich", "selectolax", "sqlalchemy", "tenacity", "yaml",
}  # fmt: skip


def loaded(code: str, *arguments: str) -> set[str]:
    """Run ``code`` in a process of its own and return what heavy modules it has loaded."""
    report = f"import sys\n{code}\nprint('loaded', *({HEAVY!r} & set(sys.modules)))"
    command = [sys.executable, "-c", report, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_imports_nothing_heavy() -> None:
    assert loaded("from crawler.cli import app") == set()


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "log story",
        "show story",
        "show story --format html",
        "changes",
        "status",
        "search story",
    ],
)
def test_reading_imports_nothing_of_the_crawler_or_the_database_library(
    command: str, tmp_path: Path
) -> None:
    stored(tmp_path, article())
    code = "from crawler.cli import app\napp(standalone_mode=False)"
    assert loaded(code, *command.split(), "--mirror", str(tmp_path)) == set()


def test_a_sync_imports_nothing_that_only_other_runs_need() -> None:
    code = "from crawler.commands import running\nfrom crawler.syncing import sync_request"
    assert not loaded(code) & {"feedparser", "rich", "sqlalchemy", "yaml"}


# bad input: a sentence, exit 2, and nothing created


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["wpnews.pro"], "has no scheme: write https://wpnews.pro"),
        (["ftp://example.org/"], "only http:// and https://"),
        (["https://user:pw@example.org/"], "--header"),
        (["https://exa mple/"], "no valid URL"),
        (["https://example.org/", "--rate", "-1"], "--rate = -1: must be a number from 0"),
        (["https://example.org/", "--concurrency", "0"], "--concurrency = 0: must be"),
        (["https://example.org/", "--max-articles", "0"], "--max-articles = 0: must be"),
        (["https://example.org/", "--format", "No Name"], "--format = 'No Name': must be"),
        (["https://example.org/", "--resolve", "x"], "--resolve = 'x': must be HOST:PORT:ADDR"),
        (["https://example.org/", "--allow-address", "x"], "--allow-address = 'x': must be"),
        (["https://example.org/", "--ca-bundle", "/no/such"], "--ca-bundle = '/no/such': must"),
        (["https://example.org/", "--ca-bundle", __file__], "can't be used: no certificate"),
        (["https://example.org/", "--header", "Range: bytes=0-1"], "to slugline"),
        (["https://a..b/"], "the host a..b is not known"),
        (["https://example.org/", "--proxy", "x"], "--proxy = ********: must be"),
        (["https://example.org/", "--header", "x"], "--header: must be 'Name: value'"),
        (["https://example.org/", "--config", "/no/such"], "/no/such: cannot be read"),
        (["https://example.org/", "--records", "/no/such"], "--records /no/such cannot be read"),
    ],
)
def test_mirror_refuses_bad_input_and_creates_nothing(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    into = tmp_path / "m"
    assert words in complaint(slugline("mirror", *arguments, "--into", into))
    assert not into.exists()


def test_a_records_file_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "list.jsonl"
    path.write_text('{"url": "https://example.org/a"}\n{"url": 3}\n')
    into = tmp_path / "m"
    result = slugline("mirror", "https://example.org/", "--records", path, "--into", into)
    assert f"{path}, line 2: " in complaint(result)
    assert not into.exists()


def test_every_wrong_flag_is_said_at_once(tmp_path: Path) -> None:
    result = slugline(
        "mirror", "https://example.org/", "--rate", "-1", "--concurrency", "0",
        "--into", tmp_path / "m",
    )  # fmt: skip
    assert result.stderr.count("slugline: --") == 2


def test_a_secret_in_a_wrong_header_is_not_shown(tmp_path: Path) -> None:
    result = slugline(
        "mirror", "https://example.org/", "--header", "A: s3cret\nX", "--into", tmp_path / "m"
    )
    assert "s3cret" not in complaint(result)


def test_a_word_for_a_number_is_refused() -> None:
    result = slugline("mirror", "https://example.org/", "--rate", "fast")
    assert result.exit_code == 2
    assert "--rate" in result.stderr


@pytest.mark.parametrize(
    "command",
    [["list"], ["log", "x"], ["show", "x"], ["diff", "x"], ["status"], ["export", "jsonl", "-"],
     ["reindex"]],
)  # fmt: skip
def test_a_folder_that_is_no_mirror_is_named(command: list[str], tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        said = complaint(slugline(*command, "--mirror", folder))
        assert f"{folder} is no mirror" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["list"], ["show", "x"], ["reindex"]])
def test_a_newer_format_is_refused(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "mirror.json").write_text('{"format": 99}')
    assert "newer slugline" in complaint(slugline(*command, "--mirror", tmp_path))
