"""The manual page: everything that the command line says, and nothing that sets itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.cli import _COMMANDS
from crawler.commands.failures import MEANINGS
from crawler.manual import escaped, manual
from tests.crawler.commands.calling import slugline

README = (Path(__file__).parents[2] / "README.md").read_text()
PAGE = manual()


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_option_of_a_command_is_on_the_page(name: str) -> None:
    shown = slugline(name, "--help").stdout
    part = PAGE.split(f"\n.SS {name}\n")[1].split("\n.SS ")[0].replace("\\-", "-")
    assert set(re.findall(r"^  (--[a-z-]+)", shown, re.MULTILINE)) <= set(
        re.findall(r"--[a-z-]+", part)
    )


def test_the_exit_codes_are_those_of_the_readme() -> None:
    table = README.split("## Exit codes")[1].split("## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)] == list(
        MEANINGS
    )


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])))
def test_no_text_is_an_instruction(text: str) -> None:
    page = escaped(text)
    assert page[:1] not in {".", "'"}
    assert re.sub(r"\\[e&-]", "", page).count("\\") == 0


@pytest.mark.skipif(shutil.which("groff") is None, reason="groff is not installed")
def test_groff_sets_it_without_a_warning() -> None:
    done = subprocess.run(
        ["groff", "-K", "utf8", "-man", "-ww", "-z"],
        input=PAGE, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
