"""Cycles are not looked for inside, and are again afterwards, whatever happened."""

from __future__ import annotations

import gc

import pytest

from storage.uncollected import uncollected


def test_cycles_are_looked_for_again_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_cycles_are_looked_for_again_after_an_error() -> None:
    with pytest.raises(ValueError, match="mine"), uncollected():
        raise ValueError("mine")
    assert gc.isenabled()


def test_who_looks_for_none_is_left_so() -> None:
    with uncollected():
        with uncollected():
            pass
        assert not gc.isenabled()
