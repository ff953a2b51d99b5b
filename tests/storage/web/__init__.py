"""Tests of the room of ``slugline serve``: a real server on loopback over a small archive."""
