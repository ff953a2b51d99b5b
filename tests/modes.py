"""Folders and files that can't be written, for root neither.

Linux lets root pass over modes by two capabilities (capabilities(7)); they are put away for the
calling thread and for threads that it starts, not for programs, and taken up again after.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

#: _LINUX_CAPABILITY_VERSION_3, and CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH as bits.
_VERSION = 0x20080522
_PASSING_OVER = 1 << 1 | 1 << 2


@contextmanager
def unwritable(*paths: Path) -> Iterator[None]:
    """Let nobody write these within the context; a folder's entries can't be added or removed."""
    modes = {path: path.stat().st_mode for path in paths}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        with _obeyed():
            yield
    finally:
        for path, mode in modes.items():
            if path.exists():
                path.chmod(mode)


@contextmanager
def _obeyed() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    if sys.platform != "linux":
        pytest.skip("root may read and write everything here")
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    before, less = (ctypes.c_uint32 * 6)(), (ctypes.c_uint32 * 6)()
    if libc.capget(header, before):
        raise OSError(ctypes.get_errno(), "capget")
    less[:] = [before[0] & ~_PASSING_OVER, *before[1:]]
    _set(libc, header, less)
    try:
        yield
    finally:
        _set(libc, header, before)


def _set(libc: ctypes.CDLL, header: ctypes.Array[ctypes.c_uint32], to: object) -> None:
    if libc.capset(header, to):
        raise OSError(ctypes.get_errno(), "capset")
