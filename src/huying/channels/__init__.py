"""Other ways in and out, one folder a channel."""
