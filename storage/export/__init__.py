"""What an archive can be turned into, a module a kind."""
