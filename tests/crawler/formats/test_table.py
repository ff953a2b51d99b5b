"""The table of formats: what a folder's modules end with, each by one line."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from crawler import formats
from crawler.formats.spec import FormatSpec
from crawler.formats.table import FORMATS, MODULES


def test_every_module_that_ends_with_a_spec_has_its_line() -> None:
    named = [each.name for each in iter_modules(formats.__path__) if each.name != "table"]
    ending = [name for name in named if hasattr(import_module(f"crawler.formats.{name}"), "SPEC")]
    assert sorted(MODULES) == sorted(ending)


def test_each_line_is_a_format_under_a_name_of_its_own() -> None:
    assert len(FORMATS) == len(MODULES)
    assert all(isinstance(each, FormatSpec) for each in FORMATS.values())
