"""The index's rows of a segment beside what its manifests give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.drafts import article, event, hour, stored
from tests.storage.indexes import change
from tests.storage.verify.harming import problems


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE urls SET file = 'elsewhere'", "has another file"),
        ("DELETE FROM urls", "it has no row of the URL of its html"),
        ("UPDATE representations SET format = 'pdf' WHERE format = 'html'", "has not"),
        ("UPDATE representations SET size = size + 1", "its row of this html has another size"),
        ("DELETE FROM representations WHERE format = 'html'", "it has no row of this html"),
        ("UPDATE snapshots SET title = 'x'", "its row of this snapshot has another title"),
        ("DELETE FROM snapshots", "it has no row of this snapshot"),
        ("UPDATE events SET event = 'returned'", "its row of this event has another event"),
        ("DELETE FROM events", "it has no row of this event"),
        ("DELETE FROM files", "it has no row of a name under files/"),
        ("UPDATE files SET folder = NOT folder", "is no file's, or no folder's"),
        ("DELETE FROM names", "no row"),
        ("UPDATE segments SET committed = committed - 10", "amid a group"),
    ],
)
def test_a_row_that_is_not_as_its_manifest_says_is_named(
    tmp_path: Path, statement: str, why: str
) -> None:
    stored(tmp_path, article(), event("gone", seen=hour(1)))
    change(tmp_path, statement)
    found = problems(tmp_path)
    assert any(why in problem.why for problem in found), [problem.why for problem in found]
    assert {problem.kind for problem in found} == {"index"}


def test_a_segment_of_many_groups_is_compared_part_by_part(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}", formats=("html",)) for n in range(450)))
    assert problems(tmp_path) == []
    change(tmp_path, "DELETE FROM names WHERE slug = 'a7'")
    found = problems(tmp_path)
    assert {(problem.kind, problem.slug) for problem in found} == {("index", "a7")}
