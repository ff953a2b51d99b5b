"""Where segments are kept: local files here; each kind of store is one module."""
