"""Mirror one made-up site with slugline and with others, and print who took how long.

    python -m tests.benchmarks                        first crawl of 2,000 articles, five rounds
    python -m tests.benchmarks --recrawl              then again unchanged, and after 5% edited
    python -m tests.benchmarks --delay 50             every answer 50 ms late
    python -m tests.benchmarks --profile              where slugline's time goes (needs py-spy)

The site has four formats an article, gzipped beforehand as on a real static site. nginx serves it
on one core, each client runs on another, in turn within each round; ratios are medians of
same-round ratios, and the rest are medians over the rounds. Every representation is compared by
SHA-256. Politeness is off on all sides. Mirrors go to memory where there is space (fsync is free
there: --workdir puts them on a disk).

Others are taken from the PATH and from --peers-from: wget2, wget, curl and httrack as programs
(Debian: apt-get install wget2 wget curl httrack), scrapy and crawlee from a virtual environment
(python3 -m venv DIR && DIR/bin/pip install scrapy 'crawlee[parsel]' uvloop). What is not there is
left out, and said. Nothing leaves this machine.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from tests.benchmarks import clients, machine, profiling, table
from tests.benchmarks.rounds import Crawl, Plan, compare, crawling, run, said, start_up, warm_up
from tests.benchmarks.serving import Site
from tests.nginx import NginxMissing

#: Bytes of one of the demo's stories in four formats, as files.
BYTES_A_STORY = 20_000
#: Articles of the site that clients warm up on.
SMALL = 2
#: argparse's own code for wrong usage.
WRONG = 2


class WrongUsage(Exception):
    """What was asked for can't be measured; the sentence says why."""


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; gives the exit code."""
    asked = _parser().parse_args(words)
    try:
        found = _found(asked)
        with _folder(asked) as work, _served(asked, work) as (site, core):
            plan = _plan(asked, found, work, core)
            _say("warming up")
            with Site(work / "small", SMALL) as small:
                warm_up(plan, small)
            if asked.profile:
                return _profile(plan, site, found)
            return _compare(asked, plan, site)
    except (WrongUsage, NginxMissing) as error:
        _say(f"tests.benchmarks: {error}")
        return WRONG


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--articles", type=_positive, default=2000, metavar="N", help="of the site [2000]")
    add("--length", type=_positive, default=3, metavar="N",
        help="of the demo's stories in an article [3]")  # fmt: skip
    add("--rounds", type=_positive, default=5, metavar="N", help="rounds; five are few enough [5]")
    add("--clients", default="", metavar="A,B", help=f"of {', '.join(clients.BY_NAME)}")
    peers = "look for clients here too: a virtual environment, or a folder of programs"
    add("--peers-from", type=Path, action="append", default=[], metavar="DIR", help=peers)
    add("--connections", type=_numbers, default={}, metavar="A=N,B=N",
        help="requests in flight of a client")  # fmt: skip
    add("--recrawl", action="store_true", help="crawl again, unchanged and after an edit")
    add("--fraction", type=float, default=0.05, metavar="F", help="of articles edited [0.05]")
    add("--no-lastmod", action="store_true", help="a sitemap without dates: ETags only")
    add("--delay", type=float, default=0, metavar="MS", help="hold back every request so long")
    add("--unpinned", action="store_true", help="let everyone use every core")
    add("--against", default="", metavar="CLIENT", help="whom all are measured by [wget2]")
    add("--limit", type=float, default=600, metavar="S", help="seconds a crawl may take [600]")
    add("--workdir", type=_existing, metavar="DIR", help="where site and mirrors are written")
    add("--keep", action="store_true", help="leave the mirrors and the clients' words there")
    add("--out", type=Path, metavar="FILE", help="append every crawl as a line of JSON")
    add("--profile", action="store_true", help="one crawl of slugline under py-spy instead")
    return parser


def _positive(text: str) -> int:
    """Read a number from 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a number from 1")
    return int(text)


def _numbers(text: str) -> dict[str, int]:
    """Read ``A=N,B=N``."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    for name, _, number in pairs:
        if name not in clients.BY_NAME or not number.isdecimal() or int(number) < 1:
            raise argparse.ArgumentTypeError(f"{name}={number}: a client's name and a number")
    return {name: int(number) for name, _, number in pairs}


def _existing(text: str) -> Path:
    """Read the name of a folder that is there."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text} is no folder")
    return Path(text)


def _found(asked: argparse.Namespace) -> list[clients.Found]:
    """Return the clients that are here, and say which are not. Raises WrongUsage."""
    names = [name for name in asked.clients.split(",") if name]
    if asked.profile:
        names = names or ["slugline-no-files"]
    if unknown := [name for name in names if name not in clients.BY_NAME]:
        raise WrongUsage(f"no client {', '.join(unknown)}: there are {', '.join(clients.BY_NAME)}")
    wanted = clients.wanted(names, recrawl=asked.recrawl, delayed=bool(asked.delay))
    folders = [folder.absolute() for folder in asked.peers_from]
    looked_for = [clients.find(client, folders) for client in wanted]
    for each in looked_for:
        if isinstance(each, str):
            _say(each)
    found = [each for each in looked_for if isinstance(each, clients.Found)]
    if not found:
        raise WrongUsage("no client is left to be measured")
    if asked.against and asked.against not in [each.name for each in found]:
        raise WrongUsage(f"--against {asked.against}: that client is not measured")
    return found


def _needed(asked: argparse.Namespace) -> int:
    """Guess the bytes that all mirrors take together: nothing is deleted before the end."""
    stories = asked.articles * asked.length
    return int(stories * BYTES_A_STORY * asked.rounds * len(clients.CLIENTS))


@contextmanager
def _folder(asked: argparse.Namespace) -> Iterator[Path]:
    """Give a folder of this comparison's own, deleted when all is over and not before."""
    work = Path(
        tempfile.mkdtemp(
            prefix="slugline-bench-", dir=asked.workdir or machine.roomy(_needed(asked))
        )
    )
    try:
        yield work
    finally:
        if asked.keep:
            _say(f"kept in {work}")
        else:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _served(asked: argparse.Namespace, work: Path) -> Iterator[tuple[Site, int | None]]:
    """Serve the site on the first core; gives it and the clients' core, None where all share."""
    cores = () if asked.unpinned else machine.cores()
    pinned = len(cores) > 1
    if not pinned and not asked.unpinned:
        _say("one core, or a system that can't pin: clients and server share what there is")
    _say(f"writing a site of {asked.articles:,} articles")
    site = Site(
        work,
        asked.articles,
        length=asked.length,
        delay=asked.delay,
        dated=not asked.no_lastmod,
    )
    if pinned:
        # inherited by nginx and the relay; the clients are put elsewhere
        os.sched_setaffinity(0, {cores[0]})
    try:
        with site:
            yield site, cores[-1] if pinned else None
    finally:
        if pinned:
            os.sched_setaffinity(0, set(cores))


def _plan(
    asked: argparse.Namespace, found: list[clients.Found], work: Path, core: int | None
) -> Plan:
    return Plan(
        clients=found,
        work=work,
        rounds=asked.rounds,
        steps=("first", "unchanged", "edited") if asked.recrawl else ("first",),
        fraction=asked.fraction,
        core=core,
        delayed=bool(asked.delay),
        limit=asked.limit,
        connections=asked.connections,
    )


def _compare(asked: argparse.Namespace, plan: Plan, site: Site) -> int:
    about = machine.described(plan.work, datetime.now(UTC))
    starts = {found.name: start_up(plan, found) for found in plan.clients}
    stolen, _ = machine.noise()
    crawls = []
    for crawl in compare(plan, site):
        crawls.append(crawl)
        _say(_line(crawl))
        if crawl.failed:
            _say(said(plan.work))
        if asked.out:
            with asked.out.open("ab") as file:
                file.write(msgspec.json.encode(crawl) + b"\n")
    after, load = machine.noise()
    names = [found.name for found in plan.clients]
    heading = table.Heading(
        names=names,
        ours=[found.name for found in plan.clients if found.client.ours],
        versions={found.name: found.version for found in plan.clients},
        starts=starts,
        against=asked.against or table.reference(names),
    )
    noise = f"Load {load:.1f} at the end; others on the host took {after - stolen:.1f} s of CPU."
    _show(*_about(asked, plan, site), *about, noise, "", table.markdown(crawls, heading))
    return int(any(crawl.failed for crawl in crawls))


def _about(asked: argparse.Namespace, plan: Plan, site: Site) -> list[str]:
    """Say what was compared, and how."""
    where = "unpinned"
    if plan.core is not None:
        where = "pinned: nginx on one core, each client on another"
    late = f", every request {asked.delay:g} ms late" if asked.delay else ""
    dates = ", no dates in the sitemap" if asked.no_lastmod else ""
    edits = f", {asked.fraction:.0%} of articles edited" if asked.recrawl else ""
    at_once = ", ".join(f"{each.name} {plan.connections_of(each)}" for each in plan.clients)
    plain, sent = (size / 1000 for size in site.size())
    what = f"{asked.articles:,} articles in 4 formats of {plain:.1f} KB, gzipped {sent:.1f} KB"
    how = f"{plan.rounds} rounds, {where}. Requests in flight: {at_once}."
    return [f"{what}{dates}{edits}{late}; {how}"]


def _line(crawl: Crawl) -> str:
    return (
        f"round {crawl.round + 1}, {crawl.step}: {crawl.client} {crawl.used.wall:.2f} s, "
        f"{crawl.traffic.requests:,} requests, {crawl.equal:,} of {crawl.total:,} equal"
        + (f", exit {crawl.used.exit}" if crawl.failed else "")
    )


def _profile(plan: Plan, site: Site, found: Sequence[clients.Found]) -> int:
    sampler = profiling.sampler()
    own = next((each for each in found if each.client.ours), None)
    if sampler is None or own is None:
        _say("--profile needs py-spy beside slugline: pip install py-spy")
        return WRONG
    out, raw = plan.work / "profiled", plan.work / "samples.txt"
    argv = profiling.sampled(sampler, crawling(plan, site, own, out), raw)
    used = run(argv, plan.work, core=plan.core, limit=plan.limit)
    _show(
        f"{own.name}: {used.wall:.2f} s under py-spy, {profiling.RATE} samples a second",
        profiling.written(raw.read_text("utf-8")),
    )
    return 0


def _show(*lines: str) -> None:
    print("\n".join(lines))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
