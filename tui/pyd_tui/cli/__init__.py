"""The `pyd` command."""
