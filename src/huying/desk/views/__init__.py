"""One module a topic. A view asks, shows, and decides nothing."""
