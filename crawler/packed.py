"""Tables of a million strings that don't cost a million objects. Pure.

A dict of strings takes some 250 bytes an entry; a site may list a million URLs. Here strings stand
one behind the other in one buffer, or only their hash is kept, and an open-addressing index of
four bytes a slot finds them. Python's hash is keyed anew in each process: nobody can choose
strings that collide.
"""

from __future__ import annotations

import re
from array import array
from typing import Final

_FIRST_SLOTS: Final = 1 << 10
_HASH: Final = 0xFFFF_FFFF
_WHOLE_HASH: Final = 0xFFFF_FFFF_FFFF_FFFF
#: Bytes of an array's number of the kind "I", on every system that Python runs on.
_NUMBER: Final = 4
#: An index grows when two thirds of its slots are taken: past that, probing gets long.
_FULL: Final = 2 / 3
#: Bytes of one piece of the buffer: growing one piece only never copies the others.
_CHUNK: Final = 1 << 18
#: Ends a pair in the buffer; no URL, no date and no slug has it.
_END: Final = b"\0"
#: Stands for a second that is the last segment of its first.
_ITS_NAME: Final = "\1"
#: Stand before a second that is a moment as sitemaps write it (RFC 3339), by how its zone is told.
_ZONES: Final = {"Z": "\2", "+00:00": "\3"}
_ZONE_OF: Final = {mark: zone for zone, mark in _ZONES.items()}
_MOMENT: Final = re.compile(
    "([0-9]{2})([0-9]{2})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(Z|[+]00:00)"
)
#: Two digits of it, in one character.
_TWO_DIGITS: Final = [f"{number:02}" for number in range(100)]
_PACKED_DIGITS: Final = {digits: chr(ord(" ") + n) for n, digits in enumerate(_TWO_DIGITS)}
#: What no second may hold: what ends a pair, and what stands for something else.
_DROPPED: Final = dict.fromkeys(map(ord, ["\0", _ITS_NAME, *_ZONE_OF]))


class HashIndex:
    """Numbers 0, 1, 2 … found by a hash. Mutable state: the hashes by number, and the slots.

    Half of each hash is kept, or, if ``whole``, all 64 bits. A slot has a number plus one, at the
    place of its hash or behind it; 0 is empty.
    """

    def __init__(self, *, whole: bool = False) -> None:
        self._bits = _WHOLE_HASH if whole else _HASH
        self._hashes = array("Q" if whole else "I")
        self._slots = array("I", bytes(_NUMBER * _FIRST_SLOTS))

    def __len__(self) -> int:
        return len(self._hashes)

    @property
    def size(self) -> int:
        """Bytes taken."""
        return self._hashes.itemsize * len(self._hashes) + _NUMBER * len(self._slots)

    def first(self, key: int) -> int:
        """Return a number that was put under ``key``, or under one like it; -1: there is none.

        What is kept of a hash is compared: whoever asks looks at what the number stands for, and at
        the other `numbers` if that is something else.
        """
        slots, hashes = self._slots, self._hashes
        mask, wanted = len(slots) - 1, key & self._bits
        place = wanted & mask
        while slot := slots[place]:
            if hashes[slot - 1] == wanted:
                return slot - 1
            place = (place + 1) & mask
        return -1

    def numbers(self, key: int) -> list[int]:
        """Return all the numbers that `first` may return."""
        slots, hashes = self._slots, self._hashes
        mask, wanted = len(slots) - 1, key & self._bits
        place = wanted & mask
        found = []
        while slot := slots[place]:
            if hashes[slot - 1] == wanted:
                found.append(slot - 1)
            place = (place + 1) & mask
        return found

    def add(self, key: int) -> int:
        """Put the next number under ``key`` and return it."""
        number = len(self._hashes)
        if number >= len(self._slots) * _FULL:
            self._grow()
        self._hashes.append(key & self._bits)
        self._put(number)
        return number

    def _grow(self) -> None:
        self._slots = array("I", bytes(2 * _NUMBER * len(self._slots)))
        for number in range(len(self._hashes)):
            self._put(number)

    def _put(self, number: int) -> None:
        slots = self._slots
        mask = len(slots) - 1
        place = self._hashes[number] & mask
        while slots[place]:
            place = (place + 1) & mask
        slots[place] = number + 1


class PackedStrings:
    """Pairs of strings, numbered as they came, found by the first of a pair. Mutable state.

    A pair has less than 256 KiB in all. The first has no line break and no NUL and begins with no
    slash; the controls NUL to ETX in the second are dropped. What stands before the last slash of
    the first that came is kept once for all that begin with it, as many URLs of one site do. A
    second that is what stands behind the last slash of its first, as most slugs are, takes a byte,
    and a moment as sitemaps write it eight.
    """

    def __init__(self) -> None:
        self._index = HashIndex()
        self._starts = array("I")
        self._chunks = [bytearray(_CHUNK)]
        self._filled = 0
        self._stem: str | None = None

    def __len__(self) -> int:
        return len(self._index)

    @property
    def size(self) -> int:
        """Bytes taken."""
        return _CHUNK * len(self._chunks) + _NUMBER * len(self._starts) + self._index.size

    def find(self, first: str) -> int | None:
        """Return the number of the pair that begins with ``first``; None: there is none."""
        key = hash(first)
        number = self._index.first(key)
        if number < 0 or self._is_at(number, first):
            return number if number >= 0 else None
        return next((n for n in self._index.numbers(key) if self._is_at(n, first)), None)

    def _is_at(self, number: int, first: str) -> bool:
        start = self._starts[number]
        return self._chunks[start // _CHUNK].startswith(self._line(first), start % _CHUNK)

    def add(self, first: str, second: str = "") -> int:
        """Put a pair in whose ``first`` is not there yet; returns its number."""
        if self._stem is None:
            self._stem = "".join(first.rpartition("/")[:2])
        self._starts.append(self._append(first, second))
        return self._index.add(hash(first))

    def pair(self, number: int) -> tuple[str, str]:
        """Return the pair of that number."""
        nth, start = divmod(self._starts[number], _CHUNK)
        chunk = self._chunks[nth]
        text = chunk[start : chunk.index(_END, start)].decode("utf-8", "surrogatepass")
        first, _, second = text.partition("\n")
        if second == _ITS_NAME:
            second = first.rpartition("/")[2]
        elif second[:1] in _ZONE_OF:
            second = _unpacked_moment(second)
        return (f"{self._stem}{first[1:]}" if first[:1] == "/" else first), second

    def get(self, first: str) -> str | None:
        """Return what stands beside ``first``; None: it is not there."""
        number = self.find(first)
        return None if number is None else self.pair(number)[1]

    def keep(self, first: str, second: str) -> None:
        """Put a pair in, unless there is one that begins with ``first``."""
        if self.find(first) is None:
            self.add(first, second)

    def put(self, first: str, second: str) -> None:
        """Put a pair in, in place of one that begins with ``first``."""
        number = self.find(first)
        if number is None:
            self.add(first, second)
        else:
            self.replace(number, second)

    def replace(self, number: int, second: str) -> None:
        """Give the pair of that number another ``second``; the old one's room is lost."""
        self._starts[number] = self._append(self.pair(number)[0], second)

    def _append(self, first: str, second: str) -> int:
        """Put a pair behind the others and return where it begins; it is in one chunk only."""
        if second and second == first.rpartition("/")[2]:
            second = _ITS_NAME
        elif moment := _MOMENT.fullmatch(second):
            *digits, zone = moment.groups()
            second = _ZONES[zone] + "".join([_PACKED_DIGITS[two] for two in digits])
        elif not second.isprintable():
            second = second.translate(_DROPPED)
        pair = self._line(first) + second.encode("utf-8", "surrogatepass") + _END
        if self._filled + len(pair) > _CHUNK:
            self._chunks.append(bytearray(_CHUNK))
            self._filled = 0
        start = self._filled
        self._filled += len(pair)
        self._chunks[-1][start : self._filled] = pair
        return (len(self._chunks) - 1) * _CHUNK + start

    def _line(self, first: str) -> bytes:
        stem = self._stem
        if stem and first.startswith(stem):
            first = first[len(stem) - 1 :]
        return f"{first}\n".encode("utf-8", "surrogatepass")


class NameSet:
    """Names, of each its hash alone. Mutable state: those hashes, numbered as they came.

    Two of a million names have one hash with a chance of 1 to 30 million; they then count as one.
    """

    def __init__(self) -> None:
        self._index = HashIndex(whole=True)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, name: str) -> bool:
        return self.find(name) is not None

    @property
    def size(self) -> int:
        """Bytes taken."""
        return self._index.size

    def find(self, name: str) -> int | None:
        """Return the number of ``name``; None: it is not there."""
        number = self._index.first(hash(name))
        return number if number >= 0 else None

    def add(self, name: str) -> None:
        """Put ``name`` in, once."""
        key = hash(name)
        if self._index.first(key) < 0:
            self._index.add(key)


class Claims:
    """Which claimant came first to a name. Mutable state: `NameSet`, and the claimants' hashes.

    Of two names with one hash, the second counts as claimed. Half of a claimant's hash is kept: of
    two that want one name, the second has it too with a chance of 1 to 4,000 million.
    """

    def __init__(self) -> None:
        self._names = NameSet()
        self._claimants = array("I")

    def held_by_another(self, name: str, claimant: str) -> bool:
        """Say whether ``name`` was claimed, and not by ``claimant``."""
        number = self._names.find(name)
        return number is not None and self._claimants[number] != hash(claimant) & _HASH

    def claim(self, name: str, claimant: str) -> bool:
        """Let ``claimant`` have ``name`` if nobody else has it; says whether it has."""
        number = self._names.find(name)
        if number is not None:
            return self._claimants[number] == hash(claimant) & _HASH
        self._names.add(name)
        self._claimants.append(hash(claimant) & _HASH)
        return True


def _unpacked_moment(packed: str) -> str:
    """Write a moment out again, as it came."""
    y1, y2, month, day, hour, minute, second = [_TWO_DIGITS[ord(c) - ord(" ")] for c in packed[1:]]
    return f"{y1}{y2}-{month}-{day}T{hour}:{minute}:{second}{_ZONE_OF[packed[0]]}"
