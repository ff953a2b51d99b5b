"""What is wrong with settings is said in sentences, whatever the setting's kind."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field

from crawler.config.errors import ConfigError, Problem, allowed_of, unit_of
from crawler.config.settings import Settings, parse_config


def test_a_number_says_its_bounds_and_unit() -> None:
    field = Settings.model_fields["concurrency"]
    assert allowed_of(field) == "must be a whole number from 1 to 256 connections"
    assert unit_of(field) == "connections"


def test_a_wrong_number_is_shown_as_it_was_written() -> None:
    with pytest.raises(ConfigError, match=r"rate = -1: must be"):
        Settings().changed(rate=-1.0)
    with pytest.raises(ConfigError, match=r"rate = -0\.3: must be"):
        Settings().changed(rate=-0.3)


def test_a_choice_says_what_there_is_to_choose() -> None:
    assert allowed_of(Settings.model_fields["keep"]) == "must be one of: content, bytes"


def test_a_list_leaves_the_words_to_its_own_check() -> None:
    assert allowed_of(Settings.model_fields["formats"]) is None


def test_a_table_that_is_no_table_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        Settings().changed(formats="html")
    (problem,) = caught.value.problems
    assert (problem.path, problem.shown) == ("formats", "'html'")
    with pytest.raises(ConfigError, match="limits = 3"):
        parse_config("limits = 3", {})


def test_each_line_names_the_file() -> None:
    problems = (
        Problem(path="a", shown="1", allowed="must be 2"),
        Problem(path="", shown="", allowed="is no TOML"),
    )
    assert str(ConfigError(problems, "f.toml")) == "f.toml: a = 1: must be 2\nf.toml: is no TOML"


def test_what_may_be_left_out_says_what_it_is_where_it_is_given() -> None:
    class Table(BaseModel):
        most: int | None = Field(None, ge=1, le=9)

    assert allowed_of(Table.model_fields["most"]) == "must be a whole number from 1 to 9"
    assert allowed_of(Settings.model_fields["proxy"]) is None
