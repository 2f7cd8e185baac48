"""The same actions as JSON."""
