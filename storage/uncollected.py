"""Work that makes many values and no cycles, done without looking for cycles.

Rows, manifests and records are part of none; looking through all that wait takes 6 % of reading a
mirror. What is no longer used is freed all the same, as its last reference goes.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Look for no cycles in this process until this ends."""
    looked = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if looked:
            gc.enable()
