"""The console script is interrupted while it loads."""

from __future__ import annotations

import subprocess
import sys

#: Stands in the way of the first import, as a slow disk would, and is interrupted there.
_INTERRUPTED = """
import signal, sys

# Who starts the tests in the background of a shell ignores it for all of them.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "typer":
            signal.raise_signal(signal.SIGINT)

sys.meta_path.insert(0, Slow())
from crawler.entry import main
main()
"""


def test_ctrl_c_while_it_loads_is_no_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "slugline: interrupted\n")
