"""Keys, commands and fuzzy matching."""
