"""The index: what the segments hold, made quick to ask. Derived; never the truth."""
