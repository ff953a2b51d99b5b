"""The crawler against real servers on loopback."""
