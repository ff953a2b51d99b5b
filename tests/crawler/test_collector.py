"""The collector is told, and goes on working."""

from __future__ import annotations

import gc

from crawler.collector import look_for_cycles_seldom


def test_cycles_are_looked_for_seldom_and_still_found() -> None:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        look_for_cycles_seldom()
        young, *older = gc.get_threshold()
        assert young > 700
        assert older == [10, 10]
        assert gc.isenabled()
    finally:
        gc.set_threshold(*before)
