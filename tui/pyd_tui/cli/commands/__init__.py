"""The `pyd` commands: one module a verb, in a package a noun."""
