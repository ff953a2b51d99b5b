"""One revision a module, named for the schema that it makes."""
