"""Parsers for option values of the docker CLI: ports, mounts, sizes and the rest."""
