"""Tests of reading in several processes, a module each."""
