"""Numbers and histories as pictures: where each bar and mark of an SVG stands. Pure.

The templates draw them. Nothing is told by colour alone, and every picture has its numbers in words
beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from storage.wording import size

#: A plot's size, in SVG's units.
PLOT_WIDTH, PLOT_HEIGHT = 364, 80
#: A timeline's width.
TIMELINE_WIDTH = 720
_MARGIN, _LEAST_GAP, _TALLEST, _LOWEST = 14, 9.0, 76.0, 5.0
#: Words changed from which on a bar is no taller: a whole article of news.
_MOST_WORDS = 2_000


class Bar(Struct, frozen=True):
    """A day's bar; ``day`` and ``shown`` are its words."""

    x: float
    y: float
    width: float
    height: float
    day: datetime
    shown: str


class Plot(Struct, frozen=True):
    """A number day by day; ``bars`` are the days that have any."""

    title: str
    note: str
    first: datetime
    last: datetime
    bars: tuple[Bar, ...]
    total: str
    highest: str


class Point(Struct, frozen=True):
    """A snapshot on a timeline: when, how many words changed (None: not known), and what it is."""

    at: datetime
    words: int | None
    reason: str
    findings: int
    partial: bool
    link: str
    label: str


class Dot(Struct, frozen=True):
    """A point where it stands, as high as its change is big."""

    point: Point
    x: float
    height: float


class Timeline(Struct, frozen=True):
    """The marks, oldest first, and the moments of the first and the last of them."""

    marks: tuple[Dot, ...]
    ends: tuple[datetime, ...]


def plot(
    title: str, note: str, first: datetime, numbers: Sequence[int], *, in_bytes: bool = False
) -> Plot:
    """Return the bars of a number a day, from the day ``first`` on."""
    write = size if in_bytes else "{:,}".format
    highest = max(numbers, default=0)
    width = PLOT_WIDTH / max(len(numbers), 1)
    bars = []
    for n, number in enumerate(numbers):
        if number > 0:
            height = max(number / highest * PLOT_HEIGHT, 1.5)
            day = first + timedelta(days=n)
            bars.append(Bar(
                round(n * width, 1), round(PLOT_HEIGHT - height, 1), round(width * 0.8, 1),
                round(height, 1), day, write(number),
            ))  # fmt: skip
    last = first + timedelta(days=max(len(numbers) - 1, 0))
    return Plot(title, note, first, last, tuple(bars), write(sum(numbers)), write(highest))


def timeline(points: Sequence[Point]) -> Timeline:
    """Place points, oldest first, by their time, and never on top of each other."""
    if not points:
        return Timeline((), ())
    room = TIMELINE_WIDTH - 2 * _MARGIN
    start, end = points[0].at, points[-1].at
    span = (end - start).total_seconds()
    places = [
        _MARGIN + (room * (p.at - start).total_seconds() / span if span > 0 else room / 2)
        for p in points
    ]
    gap = min(_LEAST_GAP, room / max(len(points) - 1, 1))
    for n in range(1, len(places)):
        places[n] = max(places[n], places[n - 1] + gap)
    limit = float(TIMELINE_WIDTH - _MARGIN)
    for n in range(len(places) - 1, -1, -1):
        places[n] = min(places[n], limit)
        limit = places[n] - gap
    marks = tuple(
        Dot(point, round(x, 1), round(_height(point.words), 1))
        for point, x in zip(points, places, strict=True)
    )
    return Timeline(marks, (start, end) if len(points) > 1 else (start,))


def _height(words: int | None) -> float:
    """Return a bar's height: by the logarithm, for edits are of one word or of hundreds."""
    if not words:
        return _LOWEST
    part = math.log1p(min(words, _MOST_WORDS)) / math.log1p(_MOST_WORDS)
    return _LOWEST + part * (_TALLEST - _LOWEST)
