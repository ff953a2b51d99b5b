"""Tests of crawler/formats."""
