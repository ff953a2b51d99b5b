"""Where slugline's time goes: one crawl under py-spy, summed by thread and function."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

#: Samples a second: at 1,000 py-spy would itself take a third of the core.
RATE = 100
#: Functions shown a thread.
TOP = 10
#: The same function at another line is the same function.
_LINE = re.compile(r":\d+(?=\)$)")


def sampler() -> str | None:
    """Return py-spy's path, beside this interpreter or on the PATH."""
    return shutil.which("py-spy", path=str(Path(sys.executable).parent)) or shutil.which("py-spy")


def sampled(program: str, argv: Iterable[str], raw: Path) -> list[str]:
    """Return the command that runs ``argv`` under py-spy and writes its samples to ``raw``."""
    how = ["record", "--rate", str(RATE), "--threads", "--format", "raw", "--output", str(raw)]
    return [program, *how, "--", sys.executable, *argv]


def by_thread(raw: str) -> Mapping[str, tuple[int, Counter[str], Counter[str]]]:
    """Sum raw samples (``thread;frame;…;frame count`` a line).

    Gives for each thread its samples, and by function those in it alone and those below it too.
    """
    total: Counter[str] = Counter()
    own: defaultdict[str, Counter[str]] = defaultdict(Counter)
    whole: defaultdict[str, Counter[str]] = defaultdict(Counter)
    names: dict[str, str] = {}
    for line in raw.splitlines():
        stack, _, number = line.rpartition(" ")
        label, *frames = stack.split(";")
        if not frames or not number.isdecimal():
            continue
        # a thread has its number from the start and its name a little later
        thread, _, name = label.partition(": ")
        names[thread] = name or names.get(thread, thread)
        functions = [_LINE.sub("", frame) for frame in frames]
        total[thread] += int(number)
        own[thread][functions[-1]] += int(number)
        for function in set(functions):
            whole[thread][function] += int(number)
    return {
        names[thread]: (count, own[thread], whole[thread]) for thread, count in total.most_common()
    }


def written(raw: str) -> str:
    """Write the sums as Markdown: the busiest threads first, each with its TOP functions."""
    threads = by_thread(raw)
    everything = sum(count for count, _, _ in threads.values()) or 1
    parts = []
    for name, (count, own, whole) in threads.items():
        parts.append(f"\n**{name}**: {count / everything:.0%} of all samples\n")
        parts.append("| function | alone | with what it calls |\n| --- | ---: | ---: |")
        parts += [
            f"| {function} | {samples / count:.1%} | {whole[function] / count:.1%} |"
            for function, samples in own.most_common(TOP)
        ]
    return "\n".join(parts)
