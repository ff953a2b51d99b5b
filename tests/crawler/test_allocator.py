"""The allocator is told, and goes on working."""

from __future__ import annotations

from crawler.allocator import give_back_large_blocks


def test_it_can_be_told_again_and_again() -> None:
    for _ in range(2):
        give_back_large_blocks()
    assert len(bytes(1 << 20)) == 1 << 20
