"""A case and all that happens to it: records, access, journal, commands (the only writers), queries, jobs."""
