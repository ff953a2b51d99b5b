"""One site's share of a run: where its entries come from, what becomes of each."""
