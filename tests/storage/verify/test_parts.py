"""Several processes for one verification: the same report, and the same problems, as one."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from storage.index.reader import Reader
from storage.verify.found import Problem, Report
from storage.verify.parts import Part, parts_of, processes, proving
from storage.verify.whole import Asked, verify
from tests.storage.drafts import article, segments_of, stored
from tests.storage.verify.harming import SINCE, harmed, problems
from tests.storage.verify.mirrors import filled

SHARED = Asked(since=SINCE, processes=2, parts_from=0)


def borders(root: Path, *at: int) -> list[Part]:
    """Cut a mirror's one segment where its groups begin, at these of them."""
    index = Reader.to_read(root)
    rows = index.ask('SELECT segment, "offset" AS place FROM snapshots ORDER BY "offset"')
    index.close()
    (size,) = (len(path.read_bytes()) for path in segments_of(root))
    places = [0, *(rows[number]["place"] for number in at), size]
    return [
        Part(root=root, segment=rows[0]["segment"], start=start, end=end, deep=False)
        for start, end in pairwise(places)
    ]


def test_two_processes_report_as_one_does(tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=6_000)
    *_, alone = verify(tmp_path, Asked(since=SINCE))
    *found, report = verify(tmp_path, SHARED)
    assert report == alone
    assert not [each for each in found if isinstance(each, Problem)]


@pytest.mark.parametrize("seed", range(3))
def test_two_processes_find_what_one_does(seed: int, tmp_path: Path) -> None:
    filled(tmp_path, segment_bytes=6_000)
    with harmed(tmp_path, Random(seed)):
        found = [each for each in verify(tmp_path, SHARED) if isinstance(each, Problem)]
        assert found == problems(tmp_path)
        assert found


def test_parts_of_one_segment_prove_it_together(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(9)))
    with proving(borders(tmp_path, 3, 6), 2) as (proof,):
        pass
    assert (proof.sound, proof.counts.snapshots, proof.counts.records) == (True, 9, 18)


def test_a_border_that_is_none_proves_nothing(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(9)))
    first, second = borders(tmp_path, 3)
    wrong = [
        Part(root=tmp_path, segment=each.segment, start=start, end=end, deep=False)
        for each, start, end in (
            (first, first.start, first.end + 1), (second, second.start + 1, second.end),
        )
    ]  # fmt: skip
    with proving(wrong, 2) as (proof,):
        pass
    assert not proof.sound


def test_a_fault_of_who_is_given_proofs_is_told_as_it_is(tmp_path: Path) -> None:
    stored(tmp_path, article())
    with pytest.raises(OSError, match="of mine"), proving(borders(tmp_path), 2):
        raise OSError("of mine")


def test_without_a_descriptor_left_nothing_is_proven_there(tmp_path: Path) -> None:
    stored(tmp_path, article())
    parts = borders(tmp_path)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, before[1]))
    try:
        with proving(parts, 2) as proofs:
            assert not list(proofs)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


#: The first worker sends Ctrl-C while it imports, as a terminal does: to all of the group.
_CTRL_C = """
import os, signal, sys
from pathlib import Path
if "--multiprocessing-fork" in sys.orig_argv:
    try:
        Path(__file__).with_name("sent").touch(exist_ok=False)
    except FileExistsError:
        pass
    else:
        os.killpg(0, signal.SIGINT)
"""
_PROVING = """
import signal, sys
from pathlib import Path
from storage.verify.parts import Part, proving
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background ignores it
    part = Part(root=Path(sys.argv[1]), segment=sys.argv[2], start=0, end=1, deep=False)
    try:
        with proving([part, part], 2) as proofs:
            list(proofs)
            signal.pause()
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_interrupted_while_they_start_the_workers_say_nothing(tmp_path: Path) -> None:
    root = tmp_path / "mirror"
    stored(root, article())
    (part,) = borders(root)
    (tmp_path / "sitecustomize.py").write_text(_CTRL_C)
    done = subprocess.run(
        [sys.executable, "-c", _PROVING, str(root), part.segment],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
        capture_output=True, text=True, start_new_session=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "")


def test_a_segment_is_cut_where_groups_begin(tmp_path: Path) -> None:
    stored(tmp_path, *(article(f"a{n}") for n in range(9)))
    (path,) = segments_of(tmp_path)
    name = f"news.example/{path.name}"
    index = Reader.to_read(tmp_path)
    sizes = {name: len(path.read_bytes())}
    parts = parts_of(index, tmp_path, sizes, 9, deep=False, least=1_000)
    places = {row["place"] for row in index.ask('SELECT "offset" AS place FROM snapshots')}
    index.close()
    assert len(parts) > 1
    assert [part.end for part in parts[:-1]] == [part.start for part in parts[1:]]
    assert {part.start for part in parts[1:]} <= places


def test_there_is_a_processor() -> None:
    assert processes() >= 1


def test_report_is_the_last(tmp_path: Path) -> None:
    stored(tmp_path, article())
    *_, last = verify(tmp_path, SHARED)
    assert isinstance(last, Report)
