"""Read-only analysis over queries."""
