"""Tests of storage/upkeep."""
