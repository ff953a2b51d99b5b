"""How alembic runs the revisions: on the connection on which upgrading.py began a transaction."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
