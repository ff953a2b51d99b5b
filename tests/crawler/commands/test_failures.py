"""Every command ends with one sentence and the contract's exit code."""

from __future__ import annotations

import pytest
import typer

from crawler.commands.failures import BUG, UsageError, complain, guarded, wrong_input
from crawler.config.errors import ConfigError, Problem
from storage.errors import DamageFound


def ending(error: BaseException) -> int:
    @guarded
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no"), 2),
        (ConfigError((Problem(path="a", shown="1", allowed="must be 2"),)), 2),
        (DamageFound("a segment", "it is not what was written"), 4),
        (KeyboardInterrupt(), 130),
        (typer.Exit(3), 3),
    ],
)
def test_an_error_that_is_expected_ends_with_its_code(error: BaseException, code: int) -> None:
    assert ending(error) == code


def test_its_sentence_is_all_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    ending(UsageError("'x' is no URL: write https://x"))
    assert capsys.readouterr() == ("", "slugline: 'x' is no URL: write https://x\n")


def test_anything_else_is_said_to_be_a_bug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SLUGLINE_DEBUG", raising=False)
    assert ending(KeyError("slug")) == BUG
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("slugline: KeyError: 'slug'. This is a bug")
    assert err.count("\n") == 1


def test_a_bug_shows_where_it_happened_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUGLINE_DEBUG", "1")

    @guarded
    def command() -> None:
        raise KeyError("slug")

    with pytest.raises(KeyError):
        command()


def test_a_bug_without_words_is_still_named(capsys: pytest.CaptureFixture[str]) -> None:
    ending(ZeroDivisionError())
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_what_goes_well_comes_back() -> None:
    @guarded
    def command() -> int:
        return 7

    assert command() == 7


def test_foreign_words_over_input_become_the_users() -> None:
    with (
        pytest.raises(UsageError, match=r"^--at: 'x' is no moment$"),
        wrong_input(LookupError, prefix="--at: "),
    ):
        raise LookupError("'x' is no moment")


def test_each_line_of_a_message_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    complain("one\ntwo")
    assert capsys.readouterr().err == "slugline: one\nslugline: two\n"
