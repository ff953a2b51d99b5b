"""Pictures: where bars and marks stand."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from storage.web.charts import PLOT_HEIGHT, TIMELINE_WIDTH, Point, plot, timeline

DAY = datetime(2026, 6, 19, tzinfo=UTC)


def point(hours: float, words: int | None = 5) -> Point:
    at = DAY + timedelta(hours=hours)
    return Point(at, words, "edit", 0, partial=False, link="/", label="")


def test_the_highest_day_is_as_high_as_the_picture_and_empty_days_have_no_bar() -> None:
    found = plot("Edits", "a note", DAY, [0, 4, 2])
    assert [bar.height for bar in found.bars] == [PLOT_HEIGHT, PLOT_HEIGHT / 2]
    assert [bar.day for bar in found.bars] == [DAY + timedelta(days=1), DAY + timedelta(days=2)]
    assert (found.total, found.highest) == ("6", "4")
    assert plot("Edits", "", DAY, [0, 0]).bars == ()
    assert plot("Bytes", "", DAY, [2048], in_bytes=True).total == "2.0 KiB"


def test_marks_are_in_order_and_inside_and_never_on_top_of_each_other() -> None:
    found = timeline([point(hours) for hours in (0, 0.001, 0.002, 500, 1000, 1000)])
    places = [mark.x for mark in found.marks]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < TIMELINE_WIDTH
    assert min(b - a for a, b in itertools.pairwise(places)) >= 8.9


def test_a_bigger_change_is_a_higher_bar() -> None:
    heights = [
        m.height for m in timeline([point(n, w) for n, w in enumerate((0, 1, 50, 9**9))]).marks
    ]
    assert heights == sorted(heights)
    assert len(set(heights)) == 4


def test_no_points_and_one_point_have_a_picture() -> None:
    assert timeline([]).marks == ()
    assert timeline([point(0, None)]).ends == (DAY,)


def test_very_many_points_still_fit() -> None:
    places = [mark.x for mark in timeline([point(n) for n in range(300)]).marks]
    assert places == sorted(places)
    assert 0 < places[0] < places[-1] < TIMELINE_WIDTH
