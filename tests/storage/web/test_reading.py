"""What is kept in memory between requests."""

from __future__ import annotations

from storage.web.reading import RecentAnswers


def test_what_was_least_used_makes_room() -> None:
    kept: RecentAnswers[str, int] = RecentAnswers(2)
    kept.keep("a", 1)
    kept.keep("b", 2)
    assert kept.get("a") == 1
    assert kept.keep("c", 3) == 3
    assert [kept.get(key) for key in "abc"] == [1, None, 3]
