"""Huying (呼应): how a city answers its people's requests."""
