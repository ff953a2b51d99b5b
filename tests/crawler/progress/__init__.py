"""Tests of crawler/progress."""
