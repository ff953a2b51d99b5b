"""One article: its formats fetched together, read, judged, handed to the store."""
