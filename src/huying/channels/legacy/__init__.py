"""Files of an old system: reading, mapping and taking over. See docs/howto/import.md."""
