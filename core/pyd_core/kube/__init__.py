"""Kubernetes as a provider of containers."""
