"""How PostgreSQL's tables became what they are, for alembic."""
