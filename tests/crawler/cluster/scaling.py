"""How much more two workers do than one, at polite rates: ``python -m … [ROUNDS]``.

A worker reads some sites at once, and each site is as slow as politeness: so the bound is the
workers' concurrency, neither a processor nor a database, which the share of a core beside tells.
The seconds are those from the first request to the last, by the servers' log.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.crawler.cluster.hosts import overlaps, too_fast
from tests.crawler.cluster.trial import Size, Trial, processor_seconds

_SIZE = Size(sites=200, articles=6, originals=0, rate=4.0)
_CONCURRENCY = 4
#: Seconds between two looks whether all is done.
_LOOK = 0.2
#: What a worker says where nothing happens to it.
_USUAL = (" done, ", " takes up to ", "stopping: ")


def _round(workers: int) -> float:
    """Have so many workers read all sites, say how it went, and return the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(Path(folder), _SIZE)
        with trial.running():
            running = [trial.start(f"w{number}", _CONCURRENCY) for number in range(workers)]
            try:
                while not trial.finished():
                    time.sleep(_LOOK)
                used = [processor_seconds(each) for each in running]
            finally:
                for each in running:
                    each.terminate()
                    each.wait()
            log, said = trial.log(), trial.said()
    took = max(each.ended for each in log) - min(each.began for each in log)
    faults = len(list(overlaps(log))), len(list(too_fast(log, _SIZE.rate)))
    cores = ", ".join(f"{100 * each / took:.0f} %" for each in used)
    print(
        f"{workers} workers: {took:.1f} s, {len(log)} requests, {cores} of a core each; "
        f"{faults[0]} overlaps, {faults[1]} too fast",
        flush=True,
    )
    for who, lines in said.items():
        for line in lines:
            if not any(usual in line for usual in _USUAL):
                print(f"{who}: {line}", flush=True)
    return took


def _main(rounds: int) -> None:
    ratios = [_round(1) / _round(2) for _ in range(rounds)]
    shown = ", ".join(f"{each:.2f}" for each in ratios)
    print(f"two do {shown} times as much as one; median {median(ratios):.2f}")


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
