"""Tests of crawler/config."""
