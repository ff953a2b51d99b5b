"""Every fuzz target on its seeds, on seeds that were bent, and on any bytes, without atheris."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.formats.table import FORMATS
from tests.fuzz.targets import TARGETS, Target

BENT = 40


def bent(data: bytes, dice: random.Random) -> bytes:
    """Change a few bytes, cut a piece out, or double one."""
    changed = bytearray(data)
    for _ in range(dice.randrange(1, 4)):
        start = dice.randrange(len(changed) + 1)
        end = min(len(changed), start + dice.randrange(1, 9))
        piece = bytes(changed[start:end])
        changed[start:end] = dice.choice((b"", piece * 2, dice.randbytes(len(piece))))
    return bytes(changed)


@pytest.fixture(params=sorted(TARGETS))
def target(request: pytest.FixtureRequest) -> Target:
    return TARGETS[request.param]


def test_every_format_is_fuzzed() -> None:
    assert FORMATS.keys() <= TARGETS.keys()


def test_every_seed_and_every_bent_seed_keeps_the_contract(target: Target) -> None:
    dice = random.Random(target.name)
    found = tuple(target.seeds())
    assert found
    for seed in found:
        target.check(seed)
    for _ in range(BENT):
        target.check(bent(dice.choice(found), dice))


@pytest.mark.parametrize("name", sorted(TARGETS))
@settings(max_examples=15)
@given(data=st.binary(max_size=400) | st.text(max_size=100).map(str.encode))
def test_any_bytes_keep_the_contract(name: str, data: bytes) -> None:
    TARGETS[name].check(data)
