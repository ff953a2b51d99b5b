"""The tests, one file a module; `test_end_to_end` runs the whole command."""
