"""Every reader of foreign bytes, fuzzed: ``python -m tests.fuzz all --seconds 3600``."""
