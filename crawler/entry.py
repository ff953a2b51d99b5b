"""What the console script calls: nothing is imported before a Ctrl-C is heard."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; interrupted while it loads, it ends as it does later (130)."""
    try:
        from crawler.cli import main as run  # noqa: PLC0415  - the most of a start is importing

        run()
    except KeyboardInterrupt:
        sys.stderr.write("slugline: interrupted\n")
        sys.exit(130)
