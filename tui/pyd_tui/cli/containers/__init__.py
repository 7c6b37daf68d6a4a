"""Helpers for creating, starting, attaching to and copying from containers."""
