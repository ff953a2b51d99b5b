"""The commands, by what they are for: mirror, read, keep; each imports its parts when called."""
