"""Accounts, units and roles: who acts, and for whom."""
