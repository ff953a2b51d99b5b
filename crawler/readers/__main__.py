"""Processes that read articles for a run: ``python -m crawler.readers TALK FILES …``."""

from __future__ import annotations

import sys

from crawler import sparing

with sparing.imports():
    from crawler.readers.child import main

if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]])
