"""prune, forget, compact: their words, their JSON, and that looking changes nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.crawler.commands.calling import complaint, slugline
from tests.storage.drafts import SITE, article, segment_files, stored
from tests.storage.upkeep.test_prune import history, left


def sizes(root: Path) -> list[int]:
    return [path.stat().st_size for path in segment_files(root)]


def test_prune_only_says_what_would_go(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    before = sizes(tmp_path)
    done = slugline("prune", "--mirror", tmp_path, "--keep-all", "0", "--weekly", "0")
    assert done.exit_code == 0
    _, *lines = done.stdout.splitlines()
    assert [line.split("\t")[2] for line in lines] == ["story", "story"]
    assert "2 snapshots, " in done.stderr
    assert "would go: --apply does it" in done.stderr
    assert sizes(tmp_path) == before


def test_prune_as_json_is_a_line_a_snapshot(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    flags = ("--keep-all", "0", "--weekly", "0", "--json")
    lines = slugline("prune", "--mirror", tmp_path, *flags).stdout.splitlines()
    first = msgspec.json.decode(lines[0])
    assert first["slug"] == "story"
    assert first["bytes"] > 0


def test_prune_does_it_when_told_to(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    done = slugline("prune", "--mirror", tmp_path, "--keep-all", "0", "--weekly", "0", "--apply")
    assert done.stdout.startswith("2 snapshots taken out of ")
    assert left(tmp_path) == [1, 4]
    assert slugline("verify", "--mirror", tmp_path).exit_code == 0


def test_prune_keeps_all_of_a_young_mirror(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3])
    done = slugline("prune", "--mirror", tmp_path, "--keep-all", "36500")
    assert "no snapshot would go" in done.stderr


def test_prune_knows_which_sites_there_are(tmp_path: Path) -> None:
    history(tmp_path, [0, 1])
    assert "--site nope" in complaint(slugline("prune", "--mirror", tmp_path, "--site", "nope"))
    assert slugline("prune", "--mirror", tmp_path, "--site", SITE).exit_code == 0


def test_forget_says_what_it_did_and_what_must_follow(tmp_path: Path) -> None:
    source = "https://news.example/news/other"
    stored(tmp_path, article("other"))
    draft = article("story")
    assert draft.manifest.record is not None
    record = msgspec.structs.replace(draft.manifest.record, canonical_source=source)
    stored(tmp_path, article("story", record=record))
    done = slugline("forget", "story", "--reason", "a court asked", "--mirror", tmp_path)
    assert done.exit_code == 0
    assert done.stdout.startswith(
        "news.example/story is forgotten: a court asked\nTaken out: 1 rec"
    )
    assert "backups and copies of " in done.stdout
    assert "exports made since 2026-06-20T12:00:00Z that have news.example" in done.stdout
    assert "slugline forget other --site news.example" in done.stdout
    assert "forgotten\t" in slugline("changes", "--mirror", tmp_path).stdout


def test_forget_as_json(tmp_path: Path) -> None:
    stored(tmp_path, article("story"))
    done = slugline("forget", "story", "--reason", "x", "--mirror", tmp_path, "--json")
    told = msgspec.json.decode(done.stdout)
    assert (told["slug"], told["groups"], told["files"]) == ("story", 1, 2)
    assert len(told["must_follow"]) == 4


def test_what_was_forgotten_already_keeps_its_first_reason(tmp_path: Path) -> None:
    stored(tmp_path, article("story"))

    def told(reason: str, *flags: str) -> str:
        asked = ("story", "--reason", reason, *flags)
        return slugline("forget", *asked, "--mirror", tmp_path).stdout

    told("reason one")
    again = told("reason two")
    assert again.startswith("news.example/story was forgotten already, on 20")
    assert "Z: reason one\n" in again
    assert "reason two" not in again
    as_json = msgspec.json.decode(told("reason two", "--json"))
    assert (as_json["reason"], as_json["already"]) == ("reason one", True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("story",), "--reason"),
        (("story", "--reason", " "), "--reason: say why"),
        (("nobody", "--reason", "x"), "no article 'nobody'"),
    ],
)
def test_forget_refuses_what_is_not_clear(
    arguments: tuple[str, ...], words: str, tmp_path: Path
) -> None:
    stored(tmp_path, article("story"))
    done = slugline("forget", *arguments, "--mirror", tmp_path)
    assert done.exit_code == 2
    assert words in done.stderr


def test_compact_says_how_many_are_left(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3], segment_bytes=1)
    done = slugline("compact", "--mirror", tmp_path)
    assert done.stdout == "4 segments before, 2 now\n"


@pytest.mark.parametrize("command", [("prune",), ("compact",), ("forget", "x", "--reason", "y")])
def test_no_mirror_is_the_users_fault(command: tuple[str, ...], tmp_path: Path) -> None:
    assert "no mirror" in complaint(slugline(*command, "--mirror", tmp_path / "none"))


def test_what_was_pruned_is_told_to_programs(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3], segment_bytes=1)
    flags = ("--keep-all", "0", "--weekly", "0", "--apply", "--json")
    pruned = msgspec.json.decode(slugline("prune", "--mirror", tmp_path, *flags).stdout)
    assert (pruned["snapshots"], pruned["segments"]) == (2, 2)


def test_what_was_joined_is_told_to_programs(tmp_path: Path) -> None:
    history(tmp_path, [0, 1, 2, 3], segment_bytes=1)
    done = msgspec.json.decode(slugline("compact", "--mirror", tmp_path, "--json").stdout)
    assert (done["before"], done["after"]) == (4, 2)
