"""Tests of crawler/article."""
