"""Tests of crawler/site."""
