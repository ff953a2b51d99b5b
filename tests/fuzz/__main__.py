"""Fuzz the readers, guided by coverage (atheris, the extra ``fuzz``).

    python -m tests.fuzz list
    python -m tests.fuzz html --seconds 60
    python -m tests.fuzz all --seconds 3600 --into /tmp/fuzz

``all`` shares the seconds out among the targets, one process after another, and goes on after a
finding. INTO gets ``corpus/NAME``, ``findings/NAME-*`` (the inputs) and ``NAME.log``; exit code 1
where anything was found. ``python -m tests.fuzz html INPUT`` runs one input again.
"""

from __future__ import annotations

import argparse
import importlib
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

#: Instrumented: our readers, and the parsers in Python under them.
PACKAGES = ["crawler", "storage", "protego", "feedparser"]
#: MiB that a fuzzing process may take: some 150 are Python's and the libraries'.
MEMORY = 600
#: Wall seconds after which one input is a hang; targets.py is stricter, in processor seconds.
HANG = 60
#: Bytes of the longest input that is tried: longer ones make each try slower, and find no more.
LONGEST = 8192
#: Findings in one target after which its time is given up: they are most likely one fault.
MOST = 3
_RUNS = re.compile(r"^(?:#|stat::number_of_executed_units:\s*)(\d+)", re.MULTILINE)


def fuzz(name: str, seconds: float, into: Path) -> NoReturn:
    """Fuzz one target in this process, which ends with it: 0, or libFuzzer's code of a finding."""
    atheris: Any = importlib.import_module("atheris")
    with atheris.instrument_imports(include=PACKAGES):
        targets = importlib.import_module("tests.fuzz.targets")
    if name not in targets.TARGETS:
        raise SystemExit(f"no target {name!r}: see `python -m tests.fuzz list`")
    target = targets.TARGETS[name]
    corpus = into / "corpus" / name
    findings = into / "findings"
    for folder in (corpus, findings):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    options = {
        "max_total_time": max(1, round(seconds)),
        "rss_limit_mb": MEMORY,
        "timeout": HANG,
        "max_len": LONGEST,
        "artifact_prefix": f"{findings}/{name}-",
        "print_final_stats": 1,
    }
    flags = [f"-{option}={value}" for option, value in options.items()]
    atheris.Setup([sys.argv[0], *flags, str(corpus)], target.check)
    atheris.Fuzz()
    raise SystemExit(0)


def fuzz_all(names: list[str], seconds: float, into: Path) -> int:
    """Fuzz each target for its share in a process of its own; returns how many findings."""
    found = 0
    for name in names:
        began = time.monotonic()
        share = seconds / len(names)
        tries = runs = 0
        log = into / f"{name}.log"
        while (left := share - (time.monotonic() - began)) >= 1 and tries < MOST:
            code, done = _one(name, left, into, log)
            runs += done
            tries += code != 0
            if code == 0:
                break
        found += tries
        took = time.monotonic() - began
        print(f"{name:15} {took:6.0f} s {runs:10,} inputs {tries} findings", flush=True)
    return found


def _one(name: str, seconds: float, into: Path, log: Path) -> tuple[int, int]:
    command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds)]
    with log.open("a+") as output:
        start = output.seek(0, 2)
        done = subprocess.run(
            [*command, "--into", str(into)], stdout=output, stderr=output, check=False
        )
        output.seek(start)
        counts = [int(count) for count in _RUNS.findall(output.read())]
    return done.returncode, max(counts, default=0)


def main() -> int:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("name", help="a target, all, or list")
    parser.add_argument("input", nargs="?", type=Path, help="a file: run the target on it, once")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--into", type=Path, default=Path("fuzz-findings"))
    asked = parser.parse_args()
    if asked.name not in ("all", "list") and asked.input is None:
        fuzz(asked.name, asked.seconds, asked.into.resolve())
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415  - not before atheris counts in it

    if asked.name == "list":
        print("\n".join(TARGETS))
        return 0
    if asked.name not in TARGETS and asked.name != "all":
        parser.error(f"no target {asked.name!r}: see `python -m tests.fuzz list`")
    if asked.input is not None:
        TARGETS[asked.name].check(asked.input.read_bytes())
        return 0
    if asked.seconds < len(TARGETS):
        parser.error(f"--seconds must be {len(TARGETS)} or more: a second for each target")
    asked.into.mkdir(parents=True, exist_ok=True)
    return 1 if fuzz_all(list(TARGETS), asked.seconds, asked.into.resolve()) else 0


if __name__ == "__main__":
    raise SystemExit(main())
