"""Politeness, proven from the servers' own log: ``python -m tests.politeness pace``."""
