"""Attacks on a whole run: every test drives the real command against a server that misbehaves."""
