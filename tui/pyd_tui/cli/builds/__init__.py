"""Builds on the command line: options, progress, and the report at the end."""
