"""How fast slugline is, beside others: ``python -m tests.benchmarks --help``. No test of the suite.

On demand only. ``micro.py`` measures single parts: ``pytest tests/benchmarks/micro.py``.
"""
