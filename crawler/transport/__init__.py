"""One request and its answer: connections, names, headers, bodies, bounds, failures."""
