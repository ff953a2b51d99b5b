"""The two proofs, each some minutes long; both end with 1 where a promise is not kept.

python -m tests.politeness pace [--requests 10000]
    three hosts with paces of their own in one run: no second holds more than the rate and
    one request, a Crawl-delay is kept, concurrency never passed, 97 % of the rate used
python -m tests.politeness waiting [--seconds 40]
    20 hosts at 20 requests/s: one that answers 429 throughout holds up none of the others
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.politeness.hosts import Hosted
from tests.politeness.judging import least_gap, most_open, most_within, share_used
from tests.politeness.running import Asked, Outcome, run

#: Requests each second in ``pace``: 20, 15, and one every 0.2 s by Crawl-delay.
PACES = (20.0, 15.0, 5.0)
LATENCY = 0.1
CONCURRENCY = (4, 3, 2)
USED = 0.97
HOSTS = 20
RATE = 20.0
RETRY_AFTER = 30
#: How much longer the others may take beside a busy host, as a share.
LATER = 0.10


def prove_pace(requests: int) -> bool:
    """Print a line a host; True where every promise was kept."""
    seconds = requests / sum(PACES)
    asked = [
        Asked(
            hosted=Hosted(articles=round(seconds * pace / 2), latency=LATENCY, crawl_delay=delay),
            rate=RATE if delay else pace,
            concurrency=concurrency,
        )
        for pace, concurrency, delay in zip(PACES, CONCURRENCY, (0, 0, 1 / PACES[2]), strict=True)
    ]
    outcome = _run(asked)
    kept = outcome.code == 0
    for each, pace, visits in zip(asked, PACES, outcome.visits, strict=True):
        dense, gap, at_once = most_within(visits), least_gap(visits), most_open(visits)
        used = share_used(visits, pace)
        delay = each.hosted.crawl_delay
        good = at_once <= each.concurrency and used >= USED
        good = good and (gap >= delay if delay else dense <= each.rate + 1)
        kept = kept and good
        print(
            f"{pace:g}/s: {len(visits):,} requests, at most {dense} in a second, "
            f"least gap {gap * 1000:.1f} ms, at most {at_once} of {each.concurrency} at once, "
            f"{used:.1%} of the rate used: {'kept' if good else 'NOT KEPT'}"
        )
    total = sum(map(len, outcome.visits))
    print(f"{total:,} requests in all, exit code {outcome.code}")
    return kept


def prove_waiting(seconds: float) -> bool:
    """Print what the others took without the busy host and with it; True within the share."""
    host = Asked(hosted=Hosted(articles=round(seconds * RATE / 2)), rate=RATE, concurrency=2)
    busy = Asked(hosted=Hosted(articles=1, busy=RETRY_AFTER), rate=RATE, concurrency=2)
    others = [host] * (HOSTS - 1)
    alone = _run(others)
    beside = _run([*others, busy])
    took = [_span(alone), _span(beside)]
    later = took[1] / took[0] - 1
    for name, span, outcome in zip(("alone", "beside it"), took, (alone, beside), strict=True):
        slowest = min(share_used(visits, RATE) for visits in outcome.visits[: HOSTS - 1])
        print(f"{HOSTS - 1} hosts {name}: {span:.1f} s, at least {slowest:.1%} of the rate used")
    print(f"{later:+.1%}; the busy host was asked {len(beside.visits[-1])} times")
    return abs(later) <= LATER


def _run(asked: list[Asked]) -> Outcome:
    with tempfile.TemporaryDirectory(prefix="slugline-politeness-") as folder:
        return run(asked, Path(folder), workers=64)


def _span(outcome: Outcome) -> float:
    """Seconds from the first request to the healthy hosts to the last."""
    visits = [visit for host in outcome.visits[: HOSTS - 1] for visit in host]
    return max(v.done for v in visits) - min(v.came for v in visits)


def main() -> int:
    """Read the command line and prove what it names."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.politeness",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("proof", choices=("pace", "waiting"))
    parser.add_argument("--requests", type=int, default=10_200)
    parser.add_argument("--seconds", type=float, default=40)
    asked = parser.parse_args()
    if asked.proof == "pace":
        return 0 if prove_pace(asked.requests) else 1
    return 0 if prove_waiting(asked.seconds) else 1


if __name__ == "__main__":
    raise SystemExit(main())
