"""Where articles are found: one module a source, parsers pure, and `sources` that reads them."""
