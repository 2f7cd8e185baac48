"""Regulations as typed, checked, frozen values: loads TOML, refuses whatever is unclear."""
