"""Collectors: one a file, each reads one source into a case and notes what it couldn't read."""
