"""The index's rows that no single manifest tells of: sites, segments, and where bodies are."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.storage.drafts import article, stored
from tests.storage.indexes import change
from tests.storage.verify.harming import problems


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE sites SET scope = 'https://other.example/'", "not what manifests say"),
        ("UPDATE sites SET implicit = NOT implicit", "not what manifests say"),
        ("DELETE FROM sites", "no row of this site"),
        ("INSERT INTO sites (name, scope, implicit) VALUES ('x', 'https://x/', FALSE)", "site"),
        ("UPDATE segments SET site = 'other.example'", "has another site"),
    ],
)
def test_a_site_or_segment_that_is_not_as_manifests_say_is_named(
    tmp_path: Path, statement: str, why: str
) -> None:
    stored(tmp_path, article())
    change(tmp_path, statement)
    found = problems(tmp_path)
    assert any(why in problem.why for problem in found), [problem.why for problem in found]
