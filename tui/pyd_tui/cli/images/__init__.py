"""Helpers for building, pulling and pushing images."""
