"""Statements as PostgreSQL spells them."""

from __future__ import annotations

import pytest

from storage.index.postgres_spelling import translated


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT 1 WHERE a = :a AND b > :b_1", "SELECT 1 WHERE a = %(a)s AND b > %(b_1)s"),
        ("INSERT INTO t VALUES (?, ?)", "INSERT INTO t VALUES (%s, %s)"),
        ("x LIKE '%' || :a || '%'", "x LIKE '%%' || %(a)s || '%%'"),
        ("SELECT ':a ?' AS b, c::text, 5 % 2", "SELECT ':a ?' AS b, c::text, 5 %% 2"),
        (
            "ON CONFLICT (site, url) DO UPDATE SET why = excluded.why",
            "ON CONFLICT (site, md5(url)) DO UPDATE SET why = excluded.why",
        ),
        ("ON CONFLICT (mark) DO NOTHING", "ON CONFLICT (mark) DO NOTHING"),
    ],
)
def test_placeholders_and_keys_are_postgresqls(ours: str, theirs: str) -> None:
    assert translated(ours).decode() == theirs
