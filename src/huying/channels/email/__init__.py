"""E-mail: notices to the citizen and to a unit's staff, through the city's own mail server."""
