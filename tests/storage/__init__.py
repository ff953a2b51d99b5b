"""The store against real files and a real SQLite."""
