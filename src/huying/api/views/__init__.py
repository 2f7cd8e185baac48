"""Routes by who takes them."""
