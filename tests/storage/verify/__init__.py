"""Tests of storage.verify."""
