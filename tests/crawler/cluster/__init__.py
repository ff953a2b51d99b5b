"""Tests of the workers, with real PostgreSQL and real servers."""
