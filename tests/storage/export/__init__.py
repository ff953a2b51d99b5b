"""Tests of storage/export."""
