"""What a server's log says of a client: how densely it asked, how much at once. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from tests.politeness.hosts import Visit


def most_within(visits: Sequence[Visit], seconds: float = 1.0) -> int:
    """Return the most requests that came within any ``seconds``; ``visits`` in order of coming."""
    most = first = 0
    for last, visit in enumerate(visits):
        while visit.came - visits[first].came >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def least_gap(visits: Sequence[Visit]) -> float:
    """Return the least seconds between one request and the next."""
    came = [visit.came for visit in visits]
    return min((after - before for before, after in pairwise(came)), default=0.0)


def most_open(visits: Sequence[Visit]) -> int:
    """Return the most requests that were in hand at once, from the last byte in to the last out."""
    # At one moment an answer counts as sent before the next request as come.
    steps = sorted([(v.came, 1) for v in visits] + [(v.done, -1) for v in visits])
    most = now = 0
    for _, step in steps:
        now += step
        most = max(most, now)
    return most


def share_used(visits: Sequence[Visit], rate: float) -> float:
    """Return the share of ``rate`` (requests/s) used from the first request to the last."""
    span = visits[-1].came - visits[0].came
    return (len(visits) - 1) / (span * rate) if span else 1.0
