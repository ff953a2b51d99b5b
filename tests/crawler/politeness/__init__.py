"""Tests of crawler/politeness."""
