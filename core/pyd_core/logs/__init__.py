"""Containers' logs: reading, following, merging, filtering and searching."""
