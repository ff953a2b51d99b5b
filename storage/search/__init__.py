"""Full-text search: every article's newest words, in SQLite or PostgreSQL."""
