"""Tests of storage/search."""
