"""Bytes of objects, got in blocks of which the last used are held: one request for many reads.

Reading here and there, as an export by article does, gets each block once where they fit; reading
on and on gets more of them at a time. Nothing here knows what the bytes mean. Not for two threads.
"""

from __future__ import annotations

from collections import OrderedDict

from storage.errors import DamageFound, StoreFailed
from storage.segments.names import place_of
from storage.segments.objects import Objects

#: Bytes of a block: most groups have fewer, so that a snapshot's bodies come with its manifest.
BLOCK = 256 << 10
#: Blocks held: 32 MiB.
_HELD = 128
#: Blocks got at once where reading goes on and on, at most: 4 MiB; and how that grows.
_AT_ONCE, _GROWTH = 16, 4


class Blocks:
    """State: the blocks held, least used first; objects' sizes; where reading would go on."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._held: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._next = ("", 0)
        self._ahead = 1

    def size(self, name: str) -> int | None:
        """Return the bytes of an object; None where there is none of that name."""
        if name not in self._sizes:
            found = self._objects.size(name)
            if found is None:
                return None
            self._sizes[name] = found
        return self._sizes[name]

    def know(self, sizes: dict[str, int]) -> None:
        """Take in what a listing told."""
        for name, size in sizes.items():
            if self._sizes.setdefault(name, size) != size:
                self.drop(name)
                self._sizes[name] = size

    def drop(self, name: str) -> None:
        """Hold nothing of an object any more: another one has its place."""
        self._sizes.pop(name, None)
        for key in [key for key in self._held if key[0] == name]:
            del self._held[key]

    def some(self, name: str, offset: int, wanted: int) -> bytes:
        """Return bytes from ``offset`` on, one at least and ``wanted`` at most; b"" past the end.

        Raises DamageFound where the object is not there.
        """
        if offset >= self._sizes.get(name, offset + 1):
            # Others may have been joined to it since.
            self.drop(name)
        number, at = divmod(offset, BLOCK)
        block = self._held.get((name, number))
        if block is None:
            self._get(name, number, -(-(at + wanted) // BLOCK))
            block = self._held.get((name, number), b"")
        else:
            self._held.move_to_end((name, number))
        return block[at : at + wanted]

    def _get(self, name: str, number: int, wanted: int) -> None:
        goes_on = self._next == (name, number)
        self._ahead = min(self._ahead * _GROWTH, _AT_ONCE) if goes_on else 1
        count = max(self._ahead, min(wanted, _AT_ONCE))
        found = self._objects.get(name, number * BLOCK, (number + count) * BLOCK)
        if found is None:
            raise DamageFound(place_of(name), "the object is not there")
        data, size = found
        if self._sizes.setdefault(name, size) != size:
            self.drop(name)
            raise StoreFailed(f"{name} was written anew while it was read: start again")
        for start in range(0, len(data), BLOCK):
            self._held[name, number + start // BLOCK] = data[start : start + BLOCK]
        while len(self._held) > _HELD:
            self._held.popitem(last=False)
        self._next = (name, number + count)
