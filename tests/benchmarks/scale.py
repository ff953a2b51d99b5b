"""Make a large archive through storage.Store and print what it costs to write, ask and index.

    python -m tests.benchmarks.scale                          100,000 snapshots of 2,000 articles
    python -m tests.benchmarks.scale --snapshots 1000000      ten to twenty minutes
    python -m tests.benchmarks.scale --formats markdown       one format an article, not four

Every edition changes one format in turn; the others are revisits of bytes that are stored, as after
a small edit of a real site. Bodies are a few lines, so that figures are of rows, records and
questions and not of bytes. Commits are timed in CPU seconds of Store.commit alone, drafts made
before; the first and the last tenth are compared, of which each batch's median counts.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from statistics import median, quantiles

from storage.archive import Archive, SnapshotRow
from storage.diff import Side, compare, side_name
from storage.model import Draft
from storage.notes import Notes
from storage.reindex import reindex
from storage.writer import BATCH_DRAFTS
from tests.benchmarks import machine
from tests.storage.drafts import SEEN, SITE, SUFFIXES, TYPES, article, open_store

#: Questions of a kind: enough for a median and its neighbour at 95%.
QUESTIONS = 200


@dataclass
class Scale:
    """What is made, and the CPU seconds a snapshot of each batch that was committed."""

    snapshots: int
    articles: int
    formats: tuple[str, ...]
    commits: list[float] = field(default_factory=list)

    def drafts(self) -> Iterator[Draft]:
        """Give every snapshot, an edition of all articles after the other."""
        for number in range(self.snapshots):
            edition, story = divmod(number, self.articles)
            yield self._draft(f"story-{story:06}-of-a-usual-length", edition)

    def _draft(self, slug: str, edition: int) -> Draft:
        changing = self.formats[edition % len(self.formats)]
        seen = SEEN + timedelta(minutes=edition)
        return article(
            slug,
            formats=self.formats,
            edition=f" {edition}" if edition else "",
            seen=seen,
            updated=seen - timedelta(seconds=9),
            reason="edit" if edition else "first",
            coding="gzip",
            not_modified=[name for name in self.formats if edition and name != changing],
        )

    def make(self, root: Path) -> None:
        """Commit everything at ``root``."""
        store = open_store(root, files=False)
        drafts = self.drafts()
        while batch := list(islice(drafts, BATCH_DRAFTS)):
            began = time.process_time()
            store.commit(batch, Notes(at=batch[-1].manifest.observed_at))
            self.commits.append((time.process_time() - began) / len(batch))
        store.close()

    @property
    def ends(self) -> tuple[float, float]:
        """Median CPU seconds a snapshot of the first tenth and the last, first editions left out.

        They alone make articles, and would be compared with what only adds to them.
        """
        later = self.commits[self.articles // BATCH_DRAFTS + 1 :] or self.commits
        tenth = max(len(later) // 10, 1)
        return median(later[:tenth]), median(later[-tenth:])


def questions(archive: Archive, scale: Scale) -> dict[str, list[float]]:
    """Ask for random articles; gives milliseconds of wall time by kind of question."""
    chosen = random.Random(7)
    last = SEEN + timedelta(minutes=scale.snapshots // scale.articles)
    found: dict[str, list[float]] = {}
    for _ in range(QUESTIONS):
        slug = f"story-{chosen.randrange(scale.articles):06}-of-a-usual-length"
        at = SEEN + (last - SEEN) * chosen.random()
        for name, ask in _ASKED.items():
            began = time.perf_counter()
            ask(archive, slug, at)
            found.setdefault(name, []).append((time.perf_counter() - began) * 1000)
    return found


def _log(archive: Archive, slug: str, at: datetime) -> object:
    del at
    return [row.as_log() for row in archive.history(SITE, slug)]


def _newest(archive: Archive, slug: str, at: datetime) -> bytes:
    del at
    return _shown(archive, archive.pick(SITE, slug))


def _as_it_was(archive: Archive, slug: str, at: datetime) -> bytes:
    return _shown(archive, archive.pick(SITE, slug, at=at))


def _compared(archive: Archive, slug: str, at: datetime) -> object:
    del at

    def side(row: SnapshotRow) -> Side:
        manifest = archive.manifest(row)
        body = archive.body(manifest, "markdown").decoded
        name = side_name(manifest, "markdown")
        return Side(name=name, body=body, content_type=TYPES["markdown"])

    history = archive.history(SITE, slug)
    return compare(side(history[-2:][0]), side(history[-1]))


def _shown(archive: Archive, row: SnapshotRow) -> bytes:
    return archive.body(archive.manifest(row), "markdown").decoded


_ASKED: dict[str, Callable[[Archive, str, datetime], object]] = {
    "log": _log,
    "show": _newest,
    "show --at": _as_it_was,
    "diff": _compared,
}


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def report(scale: Scale, root: Path) -> Iterator[str]:
    """Make, ask and index; gives the lines of the table."""
    scale.make(root)
    first, last = scale.ends
    revisions = scale.snapshots // scale.articles
    formats = len(scale.formats)
    yield f"{scale.snapshots:,} snapshots: {scale.articles:,} articles, {revisions} editions,"
    yield f"{formats} formats each, made through storage.Store in batches of {BATCH_DRAFTS}"
    yield ""
    yield "| what | figure |"
    yield "| --- | --- |"
    yield f"| commit, CPU ms a snapshot: first tenth | {first * 1000:.3f} |"
    yield f"| commit, CPU ms a snapshot: last tenth | {last * 1000:.3f} ({last / first:.2f}) |"
    for name, folder in (("segments", root / "segments"), ("index", root)):
        size = _size(folder) - (_size(root / "segments") if folder == root else 0)
        yield f"| {name}, bytes a snapshot | {size / scale.snapshots:,.0f} |"
    with Archive.open(root) as archive:
        for name, times in questions(archive, scale).items():
            late = quantiles(times, n=20)[-1]
            yield f"| {name}, ms: median, 95% | {median(times):.2f}, {late:.2f} |"
    began = time.process_time()
    reindex(root, datetime.now(UTC))
    rate = scale.snapshots / (time.process_time() - began)
    yield f"| reindex, snapshots a CPU second | {rate:,.0f} |"


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scale",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--snapshots", type=int, default=100_000, metavar="N")
    parser.add_argument("--articles", type=int, default=2_000, metavar="N")
    parser.add_argument("--formats", default=",".join(SUFFIXES), metavar="A,B")
    parser.add_argument("--workdir", type=Path, metavar="DIR", help="for the archive [in memory]")
    parser.add_argument("--keep", action="store_true", help="leave the archive there")
    asked = parser.parse_args(words)
    scale = Scale(asked.snapshots, asked.articles, tuple(asked.formats.split(",")))
    above = asked.workdir or machine.roomy(asked.snapshots * 8_000)
    work = Path(tempfile.mkdtemp(prefix="slugline-scale-", dir=above))
    try:
        for line in [*machine.described(work, datetime.now(UTC)), "", *report(scale, work / "m")]:
            sys.stdout.write(f"{line}\n")
    finally:
        if not asked.keep:
            shutil.rmtree(work)
    return 0


if __name__ == "__main__":
    sys.exit(main())
