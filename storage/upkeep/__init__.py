"""What rewrites an archive: prune, forget, compact, repair, move."""
