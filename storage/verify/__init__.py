"""Whether a mirror is whole: integrity, and apart from it completeness. Reads, changes nothing."""
