"""Helpers of the swarm commands: specs, names and listings."""
