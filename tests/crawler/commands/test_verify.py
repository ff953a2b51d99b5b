"""verify: its words, its JSON, its exit codes."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from storage.index.index import Index
from storage.index.replacing import announce
from tests.crawler.commands.calling import complaint, slugline
from tests.crawler.commands.terminal import at_terminal
from tests.storage.drafts import SITE, article, segment_files, stored
from tests.storage.upkeep.test_prune import history


def harm(root: Path) -> Path:
    (path,) = segment_files(root)
    data = bytearray(path.read_bytes())
    data[-200] ^= 1
    path.write_bytes(data)
    return path


def test_a_sound_mirror_is_said_to_be_and_ends_well(tmp_path: Path) -> None:
    stored(tmp_path, article())
    done = slugline("verify", "--mirror", tmp_path)
    assert done.exit_code == 0
    assert done.stdout.startswith("Integrity: sound. 1 snapshot, 0 events and 2 records in 1 segm")
    assert "Completeness: 0 articles partial, 1 not verified since " in done.stdout


def test_a_mirror_in_which_nothing_is_stored_has_no_article_that_is_whole(tmp_path: Path) -> None:
    stored(tmp_path)
    assert slugline("verify", "--mirror", tmp_path).stdout.splitlines() == [
        "Integrity: sound. Nothing is stored here yet.",
        "Completeness: there is no article.",
    ]


def test_what_is_only_short_ends_well(tmp_path: Path) -> None:
    stored(tmp_path, article(state="partial", missing={"text": "HTTP 503"}))
    done = slugline("verify", "--mirror", tmp_path)
    assert done.exit_code == 0
    assert "  partial: https://news.example/news/story: it lacks text: HTTP 503\n" in done.stdout


def test_damage_is_told_with_what_to_do_and_ends_with_4(tmp_path: Path) -> None:
    stored(tmp_path, article())
    path = harm(tmp_path)
    done = slugline("verify", "--mirror", tmp_path)
    assert done.exit_code == 4
    first, *_ = done.stdout.splitlines()
    assert first.startswith(f"DAMAGE: segments/news.example/{path.name} at byte ")
    assert "(news.example/story)" in first
    assert (
        "What to do: bring the file back from a backup, or run `slugline verify --re" in done.stdout
    )


def test_of_lost_segments_no_new_index_is_advised(tmp_path: Path) -> None:
    stored(tmp_path, article())
    shutil.rmtree(tmp_path / "segments")
    told = slugline("verify", "--mirror", tmp_path).stdout
    assert "INDEX: " in told
    assert "What to do: bring the file back from a backup" in told
    assert "slugline reindex" not in told


def test_a_repair_does_not_advise_a_repair(tmp_path: Path) -> None:
    stored(tmp_path, article())
    harm(tmp_path)
    told = slugline("verify", "--repair", "--no-fetch", "--mirror", tmp_path).stdout
    assert "Repaired: " in told
    assert "What to do" not in told


def _same(path: Path, other: Path) -> bool:
    name = path.relative_to(path.parents[2])
    return (other / name).is_file() and (other / name).read_bytes() == path.read_bytes()


def test_what_a_killed_prune_left_is_told_as_such_until_it_is_started_again(tmp_path: Path) -> None:
    root, pruned = tmp_path / "m", tmp_path / "pruned"
    history(root, [0, 1, 2, 3])
    shutil.copytree(root, pruned)
    prune = ("prune", "--keep-all", "0", "--weekly", "0", "--apply", "--mirror")
    slugline(*prune, pruned)
    path = next(path for path in segment_files(root) if not _same(path, pruned))
    shutil.copy(pruned / path.relative_to(root), path)
    index = Index.to_write(root)
    announce(index, [f"{SITE}/{path.name}"])
    index.close()
    done = slugline("verify", "--mirror", root)
    assert done.exit_code == 4
    assert f"was killed at {SITE}/{path.name}: start it again" in done.stdout
    assert "from a backup" not in done.stdout
    assert slugline(*prune, root).exit_code == 0
    assert slugline("verify", "--mirror", root).exit_code == 0


def test_json_is_a_line_a_finding_and_the_sum_last(tmp_path: Path) -> None:
    stored(tmp_path, article())
    harm(tmp_path)
    done = slugline("verify", "--mirror", tmp_path, "--json")
    problem, *_, report = (msgspec.json.decode(line) for line in done.stdout.splitlines())
    assert (problem["kind"], problem["slug"]) == ("segment", "story")
    assert (report["damaged"], report["sound"]) == (1, False)


def test_no_mirror_is_the_users_fault(tmp_path: Path) -> None:
    assert "no mirror" in complaint(slugline("verify", "--mirror", tmp_path / "none"))


def test_since_is_read_as_everywhere(tmp_path: Path) -> None:
    stored(tmp_path, article())
    assert "--since: " in complaint(slugline("verify", "--mirror", tmp_path, "--since", "soon"))


def test_how_far_it_has_come_is_told_at_a_terminal_and_then_taken_back(tmp_path: Path) -> None:
    stored(tmp_path, article())
    code, sent = at_terminal("verify", "--mirror", tmp_path)
    assert code == 0
    drawn, _, rest = sent.partition("\r\x1b[K")
    assert drawn.startswith("\rverified ")
    assert rest.startswith("Integrity: sound.")


def test_only_some_of_many_are_named(tmp_path: Path) -> None:
    missing = {"text": "HTTP 503"}
    stored(tmp_path, *(article(f"a{n}", state="partial", missing=missing) for n in range(12)))
    told = slugline("verify", "--mirror", tmp_path).stdout
    assert told.count("  partial: ") == 10
    assert "  and 2 more partial: --json names them\n" in told
    every = slugline("verify", "--mirror", tmp_path, "--json").stdout
    assert every.count('"kind":"partial"') == 12


def test_what_a_killed_run_left_is_said_and_is_no_damage(tmp_path: Path) -> None:
    stored(tmp_path, article())
    (path,) = segment_files(tmp_path)
    path.write_bytes(path.read_bytes() + path.read_bytes()[:100])
    done = slugline("verify", "--mirror", tmp_path)
    assert done.exit_code == 0
    assert f"{SITE}/{path.name} ends in what a killed run left: the next run" in done.stdout


def test_a_wrong_config_is_said_before_anything_is_mended(tmp_path: Path) -> None:
    stored(tmp_path, article())
    harm(tmp_path)
    none = tmp_path / "none.toml"
    assert "cannot be read" in complaint(
        slugline("verify", "--repair", "--mirror", tmp_path, "--config", none)
    )
    assert not (tmp_path / "lost").exists()
