"""Commands for clusters only."""
