"""Tests of crawler/transport."""
