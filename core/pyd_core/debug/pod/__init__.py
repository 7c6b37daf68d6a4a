"""Debugging of pods, workloads and nodes of a cluster, by ephemeral containers and copies."""
