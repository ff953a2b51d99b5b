"""The table of plain lists: what a folder's modules end with, each by one line."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from crawler import discovery
from crawler.discovery.spec import ListSpec
from crawler.discovery.table import LISTS, MODULES


def test_every_module_that_ends_with_a_spec_has_its_line() -> None:
    named = [each.name for each in iter_modules(discovery.__path__) if each.name != "table"]
    ending = [name for name in named if hasattr(import_module(f"crawler.discovery.{name}"), "SPEC")]
    assert sorted(MODULES) == sorted(ending)


def test_each_line_is_a_list_under_a_name_of_its_own() -> None:
    assert len(LISTS) == len(MODULES)
    assert all(isinstance(each, ListSpec) for each in LISTS.values())
