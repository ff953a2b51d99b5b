"""changes: a line each, for people and for programs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from storage.model import Draft, EventKind, Manifest
from storage.writer import Writer
from tests.crawler.commands.archives import BASE, fill
from tests.crawler.commands.calling import KEY, complaint, lines, slugline


async def lose(root: Path) -> None:
    """Let the article alpha be gone, after a first 404."""
    async with Writer(root) as writer:
        seen: tuple[tuple[int, EventKind], ...] = ((3, "gone-seen"), (30, "gone"))
        for hours, kind in seen:
            manifest = Manifest(
                kind="event", event=kind, site="example.org", scope="https://example.org/",
                slug="alpha", url="https://example.org/news/alpha", run="test",
                observed_at=BASE + timedelta(hours=hours), detail={"status": "404"},
            )  # fmt: skip
            await writer.commit(Draft(manifest=manifest))


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("changes") / "m"
    asyncio.run(fill(root))
    asyncio.run(lose(root))
    return root


def test_each_change_is_a_line_newest_last(lost: Path) -> None:
    rows = lines(slugline("changes", "--json", "--mirror", lost))
    assert [(row["kind"], row["site"], row["slug"]) for row in rows] == [
        ("snapshot", "example.net", "shared"),
        ("snapshot", "example.org", "alpha"),
        ("snapshot", "example.org", "beta"),
        ("snapshot", "example.org", "shared"),
        ("snapshot", "example.org", "alpha"),
        ("event", "example.org", "alpha"),
    ]
    assert rows[-2]["reason"] == "silent-edit"
    assert rows[-1]["event"] == "gone"


def test_mere_steps_are_shown_with_all(lost: Path) -> None:
    rows = lines(slugline("changes", "--all", "--json", "--mirror", lost))
    assert [row["event"] for row in rows if row["kind"] == "event"] == ["gone-seen", "gone"]


def test_since_a_date_means_from_its_start_on(lost: Path) -> None:
    def since(when: str) -> int:
        return len(lines(slugline("changes", "--since", when, "--json", "--mirror", lost)))

    assert [since(when) for when in ("2026-06-19", "2026-06-20", "2026-06-21")] == [6, 1, 0]
    assert since("2026-06-19T11:00:00Z") == 2
    assert complaint(slugline("changes", "--since", "soon", "--mirror", lost)).startswith(
        "slugline: --since: 'soon' is no moment"
    )


def test_a_person_sees_what_happened(lost: Path) -> None:
    shown = slugline("changes", "--site", "example.org", "--mirror", lost).stdout.splitlines()
    assert shown[0] == "OBSERVED\tWHAT\tSITE\tSLUG\tTITLE\tDETAIL"
    assert shown[-2:] == [
        f"2026-06-19T11:13:50Z\tsilent-edit\texample.org\talpha\tOn alpha\t{KEY}.r1",
        "2026-06-20T15:13:50Z\tgone\texample.org\talpha\tOn alpha\tstatus 404",
    ]
    assert f"{KEY}.r0, partial: no markdown, date-only" in shown[2]


def test_captured_originals_are_shown_when_asked_for(lost: Path) -> None:
    rows = lines(slugline("changes", "--canonicals", "--json", "--mirror", lost))
    assert "origin.example" in {row["site"] for row in rows}
