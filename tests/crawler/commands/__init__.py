"""Tests of the commands, a module each."""
