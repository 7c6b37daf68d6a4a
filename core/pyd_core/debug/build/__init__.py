"""Debugging of builds: a shell in a failed or named step, with the toolbox next to its files."""
