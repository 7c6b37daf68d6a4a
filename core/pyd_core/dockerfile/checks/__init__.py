"""Checks of Dockerfiles: BuildKit's rules by their names, and advice."""
