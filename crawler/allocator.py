"""What the system's allocator is told, so that memory once needed is given back.

glibc keeps a freed block of up to 32 MiB for the next one once it has seen such a block, in an
arena of each thread: a run that reads twenty sitemaps of 8 MiB then holds 60 MiB of nothing.
"""

from __future__ import annotations

import ctypes
from typing import Final

#: Parameters of mallopt(3), by glibc's malloc.h.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_M_ARENA_MAX: Final = -8
#: Bytes from which a block is the system's own and returned when it is freed: larger than any
#: buffer that is made for each request, and than the two of 324 KiB that a page's tree begins with.
_LARGE: Final = 1 << 19
#: Bytes that are kept free at the heap's end: a page's tree takes some 200 KB, and with glibc's own
#: 128 KiB the system would take them back, and give them again in pages of zeros, for each page.
_KEPT: Final = 4 << 20
#: The event loop's arena, and one for the threads.
_ARENAS: Final = 2


def give_back_large_blocks() -> None:
    """Tell glibc to return large blocks; other allocators do so by themselves, and are let be."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, _ARENAS)
