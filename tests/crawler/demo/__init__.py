"""Tests of the demo: its newsroom, the pages it makes, the server it runs."""
