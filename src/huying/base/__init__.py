"""Clock and identifiers. Imports nothing of ours, and no framework."""
