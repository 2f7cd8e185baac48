"""What is asked and shown. Nothing here writes, but for the log of who read whom."""
