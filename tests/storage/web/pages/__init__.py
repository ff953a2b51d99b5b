"""Tests of the pages: what each says of a small archive, asked of a real server."""
